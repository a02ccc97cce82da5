"""A stream that only ends well if its bytes have the sha256 they were announced with."""

from __future__ import annotations

import hashlib
import io
from typing import BinaryIO

from kargah.domain.errors import FieldError, Invalid


class VerifiedStream(io.RawIOBase):
    """Passes `source` on. At its end it raises Invalid if the sha256 differs, so that a store keeps nothing of it."""

    def __init__(self, source: BinaryIO, sha256: str) -> None:
        super().__init__()
        self._source = source
        self._expected = sha256
        self._digest = hashlib.sha256()
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
        return data

    def drain(self, chunk: int = 1 << 20) -> None:
        """Read to the end, keeping nothing."""
        while self.read(chunk):
            pass

    def _finish(self) -> None:
        if (actual := self._digest.hexdigest()) != self._expected:
            message = f"The {self.count} bytes that came have the sha256 {actual}."
            raise Invalid(
                "The body is not what its address says.",
                hint="It was damaged on the way, or the address is of another file; nothing was kept.",
                errors=[FieldError("sha256", message, "wrong_hash")],
            )
        self.verified = True
