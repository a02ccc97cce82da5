"""How much memory Zstandard data asks for: what its frames say, read as they go by and before anything is unpacked.

Whoever packs chooses how far back the data may refer (the window), and whoever unpacks must keep as much: 8 MiB at the
usual levels, but 128 MiB and more with `--long` or `--ultra`.
"""

from __future__ import annotations

from collections.abc import Generator

from kargah.domain.errors import FieldError, Invalid

MOST_WINDOW = 8 << 20
_MAGIC, _SKIPPED = 0xFD2FB528, range(0x184D2A50, 0x184D2A60)
_REPEATED = 1  # a block of one byte, as often as its size says
_NAME_SIZES, _CONTENT_SIZES = (0, 1, 2, 4), (0, 2, 4, 8)


class ZstdFrames:
    """Feed it the packed bytes in order. What is no Zstandard data is left to the unpacker."""

    def __init__(self) -> None:
        self._offset = self._passed = 0
        self._held = b""
        self._steps = self._walk()
        self._wanted = next(self._steps)

    def feed(self, data: bytes) -> None:
        """The next bytes. Raises Invalid, with the place, where a frame asks for too much."""
        left = memoryview(data)
        while left and self._wanted:
            passed = min(self._passed, len(left))
            self._passed -= passed
            taken = left[passed : passed + self._wanted - len(self._held)]
            self._held += taken
            self._offset += passed + len(taken)
            left = left[passed + len(taken) :]
            if not self._passed and len(self._held) == self._wanted:
                held, self._held = self._held, b""
                self._wanted = self._steps.send(held)

    def _walk(self) -> Generator[int, bytes]:
        """Asks for so many bytes; 0: there is nothing more to be known."""
        while True:
            magic = _number((yield 4))
            if magic in _SKIPPED:
                self._passed = _number((yield 4))
            elif magic == _MAGIC:
                yield from self._frame()
            else:
                yield 0

    def _frame(self) -> Generator[int, bytes]:
        start = self._offset - 4
        described = (yield 1)[0]
        alone = bool(described & 0x20)  # the content is the window
        names, content = _NAME_SIZES[described & 3], _CONTENT_SIZES[described >> 6] or int(alone)
        if not alone:
            self._refuse(_window((yield 1)[0]), start)
        if names:
            yield names
        if content:
            size = _number((yield content)) + (256 if content == 2 else 0)
            self._refuse(size if alone else 0, start)
        last = False
        while not last:
            block = _number((yield 3))
            last, repeated = bool(block & 1), block >> 1 & 3 == _REPEATED
            self._passed = 1 if repeated else block >> 3
        self._passed += 4 if described & 4 else 0

    def _refuse(self, window: int, start: int) -> None:
        if window > MOST_WINDOW:
            message = f"unpacking needs a window of {window:,} bytes, and at most {MOST_WINDOW:,} are accepted"
            hint = "pack it again with level 19 or less, and without --long"
            raise Invalid(message, hint, [FieldError("file", message, "zstd", None, start)])


def _window(byte: int) -> int:
    base = 1 << 10 + (byte >> 3)
    return base + (base >> 3) * (byte & 7)


def _number(data: bytes) -> int:
    return int.from_bytes(data, "little")
