"""The bytes inside a gzip or Zstandard file, as they are read: bounded in size and growth, and where a break is."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO, Protocol, cast

from dataset_svc.memory import keep_arrow_to_it
from dataset_svc.readers.zstd_frames import ZstdFrames
from kargah.domain.errors import FieldError, Invalid, TooLarge

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
_FROM_HEADER = 31  # zlib's word for: with gzip's header and checksum
_CHUNK = 64 << 10
_SMALL = 8 << 10
_MAX_GROWTH = 250
_GROWTH_FREE = 64 << 20
"""Bytes that may come out before the growth is looked at: text of any language packs 3 to 30 times."""


def unpacked(packed: BinaryIO, magic: bytes, limit: int) -> BinaryIO:
    """What the file beginning with `magic` (GZIP or ZSTD) holds, at most `limit` bytes.

    Reading raises TooLarge past the limit or for a growth that only a bomb has, and Invalid (with the byte offset in
    the packed file) where it is damaged or cut short. What `packed` raises, it raises.
    """
    unpacker: _Unpacker = _Gzip(packed) if magic == GZIP else _Zstd(packed)
    return cast(BinaryIO, io.BufferedReader(_Unpacked(unpacker, limit), _CHUNK))


class _Damaged(Exception):
    """The packed bytes make no sense from `offset` on."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.offset = offset


class _Unpacker(Protocol):
    """`offset`: how many packed bytes were used. `read` gives 1 to `size` bytes, none at the end; raises _Damaged."""

    name: str

    @property
    def offset(self) -> int: ...

    def read(self, size: int) -> bytes: ...


class _Unpacked(io.RawIOBase):
    def __init__(self, unpacker: _Unpacker, limit: int) -> None:
        self._unpacker = unpacker
        self._limit = limit
        self._size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # typeshed allows any buffer
        try:
            data = self._unpacker.read(len(buffer))
        except _Damaged as damage:
            raise self._refusal(damage) from damage
        self._size += len(data)
        self._refuse_bomb()
        buffer[: len(data)] = data
        return len(data)

    def _refuse_bomb(self) -> None:
        if self._size > self._limit:
            message = f"the file is too large once unpacked: more than {self._limit:,} bytes"
            raise TooLarge(message, "split it into several datasets")
        if self._size > _GROWTH_FREE and self._size > _MAX_GROWTH * self._unpacker.offset:
            message = f"the file grows to more than {_MAX_GROWTH} times its size when it is unpacked"
            raise TooLarge(message, "no text packs that well: send it unpacked if it is meant")

    def _refusal(self, damage: _Damaged) -> Invalid:
        name = self._unpacker.name
        message = f"the {name} data is broken or cut short at byte {damage.offset:,}: {damage}"
        return Invalid(message, "pack it again", [FieldError("file", message, name, None, damage.offset)])


class _Gzip:
    """The members of a gzip file one after the other, perhaps with zeros between them."""

    name = "gzip"

    def __init__(self, source: BinaryIO) -> None:
        self.offset = 0
        self._source = source
        self._engine = zlib.decompressobj(_FROM_HEADER)
        self._input = b""
        self._inside = False
        self._more_inside = False

    def read(self, size: int) -> bytes:
        while self._feed():
            out = self._step(size)
            if out:
                return out
        return b""

    def _feed(self) -> bool:
        """Have input, or output that waits; False at the end."""
        if self._more_inside:
            return True
        self._input = self._input or self._source.read(_CHUNK)
        if not self._inside and self.offset:
            self._pass_over_zeros()
        if not self._input and self._inside:
            raise _Damaged("it ends before its end mark", self.offset)
        return bool(self._input)

    def _pass_over_zeros(self) -> None:
        """Between members and behind the last one, however many there are."""
        while self._input:
            rest = self._input.lstrip(b"\0")
            self.offset += len(self._input) - len(rest)
            self._input = rest or self._source.read(_CHUNK)
            if rest:
                return

    def _step(self, size: int) -> bytes:
        if not self._inside:
            self._engine, self._inside = zlib.decompressobj(_FROM_HEADER), True
        before = self._engine.copy()
        try:
            out = self._engine.decompress(self._input, size)
        except zlib.error as error:
            reason = str(error).partition(": ")[2] or str(error)
            raise _Damaged(reason, self.offset + _first_bad(before, self._input)) from error
        rest = self._engine.unused_data if self._engine.eof else self._engine.unconsumed_tail
        self.offset += len(self._input) - len(rest)
        self._input, self._inside = rest, not self._engine.eof
        self._more_inside = self._inside and not rest and len(out) == size
        return out


def _first_bad(engine: zlib._Decompress, data: bytes) -> int:
    """Where in `data` the engine gives up: what comes before that byte it takes."""
    good, bad = 0, len(data)
    while bad - good > 1:
        middle = (good + bad) // 2
        try:
            engine.copy().decompress(data[:middle])
            good = middle
        except zlib.error:
            bad = middle
    return good


class _Zstd:
    """The frames of a Zstandard file; `offset` is right to 8 KiB, the size of the pieces that it is fed in."""

    name = "zstd"

    def __init__(self, source: BinaryIO) -> None:
        import pyarrow as pa  # 60 MB of memory, which only those need who send such files

        keep_arrow_to_it()
        self._pieces = _Pieces(source)
        self._stream = pa.CompressedInputStream(pa.PythonFile(self._pieces, mode="r"), "zstd")

    @property
    def offset(self) -> int:
        return self._pieces.count

    def read(self, size: int) -> bytes:
        try:
            data: bytes = self._stream.read(size)
        except (OSError, Invalid) as error:
            if self._pieces.failure is not None:
                raise self._pieces.failure from error
            raise _Damaged(str(error), self.offset) from error
        return data


class _Pieces(io.RawIOBase):
    """The source in small pieces, counted; what it raises is remembered, for it comes back as another error."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self.count = 0
        self.failure: OSError | Invalid | None = None
        self._frames = ZstdFrames()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._source.read(_SMALL if size < 0 else min(size, _SMALL))
            self._frames.feed(data)
        except (OSError, Invalid) as error:
            self.failure = error
            raise
        self.count += len(data)
        return data
