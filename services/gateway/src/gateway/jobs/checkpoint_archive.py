"""A checkpoint as one tar file, made while it is sent: as long as was said, or broken off where a file is damaged."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.stored_files import Open
from kargah.contracts.runs import FileEntry

_END = bytes(2 * tarfile.BLOCKSIZE)
_MODE = 0o644


class DamagedFile(Exception):
    """The store gave other bytes than were once put there: nobody must take the archive for whole."""


@dataclass(frozen=True, slots=True)
class Archive:
    """`folder`: what all members lie in. `prefix`: the key before their paths."""

    folder: str
    prefix: str
    made_at: datetime
    files: Sequence[FileEntry]

    @property
    def name(self) -> str:
        """Of the file that a browser keeps."""
        return f"{self.folder}.tar"

    @property
    def size_bytes(self) -> int:
        return len(_END) + sum(len(self._header(file)) + _padded(file.size_bytes) for file in self.files)

    def stream(self, opened: Open) -> Generator[bytes]:
        """The tar file, a piece at a time; before the first piece the first file is open. Raises DamagedFile, and what
        `opened` does."""
        for file in self.files:
            yield from self._member(file, opened)
        yield _END

    def _member(self, file: FileEntry, opened: Open) -> Generator[bytes]:
        header, digest, count = self._header(file), hashlib.sha256(), 0
        if file.size_bytes == 0:
            yield header
            return
        chunks, close = opened(self.prefix + file.path, 0, file.size_bytes)
        try:
            yield header
            for chunk in chunks:
                digest.update(chunk)
                count += len(chunk)
                yield chunk
        finally:
            close()
        if count != file.size_bytes or digest.hexdigest() != file.sha256:
            raise DamagedFile(f"{self.prefix}{file.path} is not what was stored")
        yield bytes(_padded(count) - count)

    def _header(self, file: FileEntry) -> bytes:
        """A block, or more for a long path or a very large file."""
        member = tarfile.TarInfo(f"{self.folder}/{file.path}")
        member.size, member.mode, member.mtime = file.size_bytes, _MODE, int(self.made_at.timestamp())
        return member.tobuf(tarfile.PAX_FORMAT)


def _padded(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
