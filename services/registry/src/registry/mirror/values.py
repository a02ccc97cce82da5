"""What the mirror's parts hand to each other."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from registry.repos.values import Entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of a commit of the upstream."""

    kind: str
    name: str
    sha: str
    path: str
    entry: Entry

    @property
    def etag(self) -> str:
        """By what its content is known, here and at the upstream."""
        return self.entry.etag


class Digest:
    """Hashes a file as git does and as the store does, while it comes."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._sha256 = hashlib.sha256()
        self._git = hashlib.sha1(f"blob {entry.size_bytes}\0".encode(), usedforsecurity=False)
        self.count = 0

    def update(self, data: bytes) -> None:
        """The next bytes."""
        self._sha256.update(data)
        if self._entry.git_sha1 is not None:
            self._git.update(data)
        self.count += len(data)

    @property
    def sha256(self) -> str:
        """Of what came so far."""
        return self._sha256.hexdigest()

    @property
    def right(self) -> bool:
        """Whether what came is the whole file, as the commit announces it."""
        actual = self.sha256 if self._entry.git_sha1 is None else self._git.hexdigest()
        return self.count == self._entry.size_bytes and actual == self._entry.etag
