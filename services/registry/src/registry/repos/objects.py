"""Git's own hashes of what a repository holds: blobs, LFS pointers, trees and commits. No git is needed for them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from registry.repos.values import Entry, Tree

_FILE, _FOLDER = "100644", "40000"


def blob_sha1(data: bytes) -> str:
    """The id that git gives to a file of this content."""
    return _object("blob", data)


def pointer(entry: Entry) -> bytes:
    """What git keeps in place of an LFS file."""
    lines = ["version https://git-lfs.github.com/spec/v1", f"oid sha256:{entry.sha256}", f"size {entry.size_bytes}", ""]
    return "\n".join(lines).encode()


def file_id(entry: Entry) -> str:
    """The id of a file in a tree: of its content, or of its pointer."""
    return entry.git_sha1 or blob_sha1(pointer(entry))


def folder_ids(tree: Tree) -> dict[str, str]:
    """The ids of all folders by path; the root is the empty path."""
    members: dict[str, dict[str, tuple[str, str]]] = {"": {}}
    for path, entry in tree.items():
        folder, _, name = path.rpartition("/")
        _make_folder(members, folder)[name] = (_FILE, file_id(entry))
    ids: dict[str, str] = {}
    for folder in sorted(members, key=lambda path: (path.count("/"), path != ""), reverse=True):
        ids[folder] = _object("tree", _listing(members[folder]))
        if folder:
            parent, _, name = folder.rpartition("/")
            members[parent][name] = (_FOLDER, ids[folder])
    return ids


def commit_sha(tree: Tree, parent: str | None, author: str, created_at: datetime, message: str) -> str:
    """The id of a commit of `tree`."""
    signature = f"{author} <{author}@localhost> {int(created_at.timestamp())} +0000"
    lines = [f"tree {folder_ids(tree)['']}"]
    lines += [f"parent {parent}"] if parent else []
    lines += [f"author {signature}", f"committer {signature}", "", message]
    return _object("commit", "\n".join(lines).encode())


def _make_folder(members: dict[str, dict[str, tuple[str, str]]], folder: str) -> dict[str, tuple[str, str]]:
    """The members of `folder`, which gets an empty list of them, as do all folders that it is in."""
    known = folder
    while known not in members:
        members[known] = {}
        known = known.rpartition("/")[0]
    return members[folder]


def _listing(members: Mapping[str, tuple[str, str]]) -> bytes:
    """Git sorts folders as if their names ended with a slash."""
    ordered = sorted(members.items(), key=lambda item: (item[0] + "/" * (item[1][0] == _FOLDER)).encode())
    return b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(sha) for name, (mode, sha) in ordered)


def _object(kind: str, data: bytes) -> str:
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
