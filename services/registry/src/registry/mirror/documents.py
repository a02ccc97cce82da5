"""What an upstream hub writes, read strictly: it may be any server that speaks the protocol."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pydantic import Field, RootModel

from kargah.contracts.base import Timestamp, Wire
from registry.mirror.errors import UpstreamAway
from registry.repos.card import plain
from registry.repos.values import Commit, Entry

MOST_FILES = 50_000
AUTHOR = "upstream"
_LONGEST_PATH = 1024
_MOST_TAGS = 500
_SHA = r"^[0-9a-f]{40}$"
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class InfoDocument(Wire):
    """A repository at a commit."""

    sha: str = Field(pattern=_SHA)
    created_at: Timestamp | None = None
    last_modified: Timestamp | None = None
    private: bool = False
    tags: list[str] = []
    pipeline_tag: str | None = Field(default=None, alias="pipeline_tag")
    library_name: str | None = Field(default=None, alias="library_name")
    card_data: dict[str, Any] | None = None

    def as_commit(self) -> Commit:
        """As the registry keeps it. Who made it and what it was called is told by another address."""
        meta = {
            "tags": self.tags[:_MOST_TAGS],
            "pipeline_tag": self.pipeline_tag,
            "library_name": self.library_name,
            "cardData": self.card_data or {},
        }
        return Commit(self.sha, None, "Mirrored", "", AUTHOR, self.last_modified or _LONG_AGO, plain(meta))


class LfsItem(Wire):
    """An LFS file's own sha256 and size."""

    oid: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0, lt=1 << 62)


class TreeItem(Wire):
    """A file or a folder."""

    type: str
    path: str = Field(max_length=_LONGEST_PATH)
    oid: str = Field(pattern=_SHA)
    size: int = Field(default=0, ge=0, lt=1 << 62)
    lfs: LfsItem | None = None

    def entry(self) -> Entry:
        """As the registry keeps it. The sha256 of a file that git itself keeps is known once it came."""
        if self.lfs is not None:
            return Entry(self.lfs.oid, self.lfs.size)
        return Entry("", self.size, self.oid)


class TreePage(RootModel[list[TreeItem]]):
    """A page of a recursive listing."""


def read_tree(items: Iterable[TreeItem]) -> dict[str, Entry]:
    """The files by path. Raises UpstreamAway for a path that no client should write to, or for too many."""
    files: dict[str, Entry] = {}
    for item in items:
        if item.type != "file":
            continue
        _check_path(item.path)
        files[item.path] = item.entry()
        if len(files) > MOST_FILES:
            raise UpstreamAway(f"The repository has more than {MOST_FILES} files, which are not mirrored.")
    return files


def _check_path(path: str) -> None:
    parts = path.split("/")
    odd = any(unicodedata.category(character) in ("Cc", "Cs") for character in path)
    if odd or any(part in ("", ".", "..") for part in parts) or "\\" in path:
        raise UpstreamAway(f"The upstream has a file at {path[:200]!r}, which is no acceptable path.")
