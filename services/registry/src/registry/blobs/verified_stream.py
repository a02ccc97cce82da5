"""A stream that only ends well if its bytes have the sha256 they were announced with."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from kargah.domain.errors import FieldError, Invalid

_HEAD = 16
_LONGEST_HEADER = 1 << 32


class VerifiedStream(io.RawIOBase):
    """Passes `source` on. At its end it raises Invalid if the sha256 differs, so that a store keeps nothing of it."""

    def __init__(self, source: BinaryIO, sha256: str) -> None:
        super().__init__()
        self._source = source
        self._expected = sha256
        self._digest = hashlib.sha256()
        self.head = b""
        self.count = 0
        self.verified = False

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        if not data and size != 0:
            self._finish()
        self._digest.update(data)
        self.count += len(data)
        self.head = (self.head + data[:_HEAD])[:_HEAD]
        return data

    def drain(self, chunk: int = 1 << 20) -> None:
        """Read to the end, keeping nothing."""
        while self.read(chunk):
            pass

    def holds_weights(self) -> bool:
        """Whether it began like a safetensors or a GGUF file. No text does: numbers there have bytes that are NUL."""
        if self.head[:4] == b"GGUF" and self.head[5:8] == bytes(3):
            return True
        return self.head[8:9] == b"{" and int.from_bytes(self.head[:8], "little") < _LONGEST_HEADER

    def _finish(self) -> None:
        if (actual := self._digest.hexdigest()) != self._expected:
            message = f"The {self.count} bytes that came have the sha256 {actual}."
            raise Invalid(
                "The body is not what its address says.",
                hint="It was damaged on the way, or the address is of another file; nothing was kept.",
                errors=[FieldError("sha256", message, "wrong_hash")],
            )
        self.verified = True
