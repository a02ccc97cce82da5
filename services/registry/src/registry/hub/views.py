"""From what is stored to what the Hub's clients read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from registry.hub.wire import (
    AuthorView,
    CommitView,
    EntryLfs,
    RefsView,
    RefView,
    RepoInfo,
    Sibling,
    SiblingLfs,
    TreeEntry,
)
from registry.repos.history import BRANCH, TAG
from registry.repos.objects import file_id, folder_ids, pointer
from registry.repos.values import MODELS, Commit, Entry, Head, Ref, Tree

_HEADINGS = {BRANCH: "refs/heads/", TAG: "refs/tags/"}


def info(head: Head, siblings: Sequence[Sibling] | None, *, card: bool = True) -> RepoInfo:
    """A repository at a commit. Without `card` its metadata is left out, as in lists."""
    found, meta = head.repository, head.commit.meta
    return RepoInfo(
        id=found.name,
        model_id=found.name if found.kind == MODELS else None,
        author=found.name.rpartition("/")[0] or None,
        sha=head.commit.sha,
        created_at=found.created_at,
        last_modified=head.commit.created_at,
        private=found.private,
        tags=meta.get("tags", []),
        pipeline_tag=meta.get("pipeline_tag"),
        library_name=meta.get("library_name"),
        card_data=(meta.get("cardData") or None) if card else None,
        siblings=list(siblings) if siblings is not None else None,
        mirrored_from=found.mirrored_from,
    )


def siblings(tree: Tree, *, blobs: bool) -> list[Sibling]:
    """The files of an info, with their sizes and ids where these were asked for."""
    return [_sibling(path, entry) if blobs else Sibling(rfilename=path) for path, entry in tree.items()]


def entries(tree: Tree, folder: str, *, recursive: bool) -> list[TreeEntry]:
    """The files and folders below `folder`, by path; only its own members unless `recursive`."""
    start = f"{folder}/" if folder else ""
    ids = folder_ids(tree)
    folders = [_folder(path, sha) for path, sha in ids.items() if path and path.startswith(start)]
    files = [file(path, entry) for path, entry in tree.items() if path.startswith(start)]
    found = [one for one in (*folders, *files) if recursive or "/" not in one.path[len(start) :]]
    return sorted(found, key=lambda one: one.path)


def at_paths(tree: Tree, paths: Iterable[str]) -> list[TreeEntry]:
    """Those of `paths` that there are."""
    ids = folder_ids(tree)
    found = []
    for path in dict.fromkeys(path.strip("/") for path in paths):
        if path in tree:
            found.append(file(path, tree[path]))
        elif path and path in ids:
            found.append(_folder(path, ids[path]))
    return found


def file(path: str, entry: Entry) -> TreeEntry:
    """A file in a tree."""
    lfs = None
    if entry.git_sha1 is None:
        lfs = EntryLfs(oid=entry.sha256, size=entry.size_bytes, pointer_size=len(pointer(entry)))
    return TreeEntry(type="file", path=path, oid=file_id(entry), size=entry.size_bytes, lfs=lfs)


def refs(found: Sequence[Ref]) -> RefsView:
    """Branches and tags by their kind."""
    views = {kind: [_ref(ref) for ref in found if ref.kind == kind] for kind in _HEADINGS}
    return RefsView(branches=views[BRANCH], tags=views[TAG])


def history_entry(one: Commit) -> CommitView:
    """A commit in a list."""
    author = AuthorView(user=one.author)
    return CommitView(id=one.sha, title=one.title, message=one.description, authors=[author], date=one.created_at)


def _sibling(path: str, entry: Entry) -> Sibling:
    lfs = None
    if entry.git_sha1 is None:
        lfs = SiblingLfs(sha256=entry.sha256, size=entry.size_bytes, pointer_size=len(pointer(entry)))
    return Sibling(rfilename=path, size=entry.size_bytes, blob_id=file_id(entry), lfs=lfs)


def _folder(path: str, sha: str) -> TreeEntry:
    return TreeEntry(type="directory", path=path, oid=sha)


def _ref(ref: Ref) -> RefView:
    return RefView(name=ref.name, ref=_HEADINGS[ref.kind] + ref.name, target_commit=ref.sha)
