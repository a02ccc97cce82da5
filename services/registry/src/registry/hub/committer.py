"""Commits that clients push: made and checked outside of any transaction, then put on the branch in one."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import FieldError, Invalid, Unavailable
from kargah.domain.scope import current_project, project_scope
from kargah.ports.object_store import ObjectStore
from registry.blobs.repository import BlobRow
from registry.blobs.service import BlobService, check_sha256
from registry.hub.checks import check_files, check_tree
from registry.hub.errors import StaleParent
from registry.hub.operations import (
    REGULAR_LIMIT,
    Added,
    FileLine,
    Header,
    LfsLine,
    Line,
    Operation,
    Removed,
    apply,
    content_of,
)
from registry.hub.promotion import Promotion, Verdict
from registry.hub.revisions import find_repository, no_revision, refuse_mirrored
from registry.repos import history, history_repository, repository
from registry.repos.content import REGULAR_BYTES, is_text, meta_of
from registry.repos.history import BRANCH
from registry.repos.objects import blob_sha1
from registry.repos.values import MAIN, Commit, Repository, Tree

_TRIES = 10
_PARALLEL_WRITES = 8
_MOST_AT_ONCE = 32
_LONGEST_TITLE = 1000
_LONGEST_DESCRIPTION = 64 << 10


@dataclass(frozen=True, slots=True)
class Pushed:
    """The head after a push. `reason`: why a model's commit is no version that Kargah can load, if it could be one."""

    repository: Repository
    sha: str
    reason: str | None = None


class Committer:
    """Safe to share between threads. Every call may raise Unavailable."""

    def __init__(self, engine: Engine, store: ObjectStore, blobs: BlobService, promotion: Promotion) -> None:
        self._engine = engine
        self._store = store
        self._blobs = blobs
        self._promotion = promotion

    def push(self, kind: str, name: str, branch: str, lines: Iterable[Line]) -> Pushed:
        """Commit to a branch. Raises RepoNotFound, RevisionNotFound, StaleParent; Invalid for unfit files.

        What comes with the commit becomes blobs at once; without the commit they are collected after their grace.
        """
        self._head(kind, name, branch)
        header, operations = self._read(kind, lines)
        sizes = self._sizes(operations)
        for _ in range(_TRIES):
            pushed = self._attempt(kind, name, branch, header, operations, sizes)
            if pushed is not None:
                return pushed
        raise Unavailable("Others commit to this branch all the time.", hint="Try again in a moment.")

    def _attempt(
        self, kind: str, name: str, branch: str, header: Header, operations: Sequence[Operation], sizes: dict[str, int]
    ) -> Pushed | None:
        """None when somebody else's commit came first."""
        found, head, tree = self._head(kind, name, branch)
        if header.parent_commit and not head.startswith(header.parent_commit):
            raise StaleParent(f"{branch!r} is at {head[:7]}, no longer at {header.parent_commit[:40]!r}.")
        files = apply(tree, operations, sizes)
        if files == tree:
            return Pushed(found, head)
        check_tree(files)
        meta = meta_of(self._store, kind, files)
        verdict = self._promotion.judge(found, files) if branch == MAIN else Verdict()
        with UnitOfWork(self._engine) as tx:
            locked = find_repository(tx.connection, kind, name, lock=True)
            if repository.find_ref(tx.connection, locked.id, BRANCH, branch) != head:
                return None
            with self._blobs.kept(tx.connection):
                commit = history.append(
                    tx.connection,
                    locked,
                    branch,
                    files,
                    title=header.summary[:_LONGEST_TITLE] or "Update",
                    description=header.description[:_LONGEST_DESCRIPTION],
                    meta=meta,
                )
                self._note_version(tx.connection, locked, verdict, commit)
        return Pushed(locked, commit.sha, verdict.reason)

    def _note_version(self, connection: Connection, found: Repository, verdict: Verdict, commit: Commit) -> None:
        if verdict.draft is not None:
            version = self._promotion.insert(connection, found, verdict.draft)
            history.tag_version(connection, found, version.version, commit)

    def _head(self, kind: str, name: str, branch: str) -> tuple[Repository, str, Tree]:
        with UnitOfWork(self._engine) as tx:
            found = find_repository(tx.connection, kind, name)
            refuse_mirrored(found)
            head = repository.find_ref(tx.connection, found.id, BRANCH, branch)
            if head is None:
                raise no_revision(found, branch)
            return found, head, history_repository.read_tree(tx.connection, found.id, head)

    def _read(self, kind: str, lines: Iterable[Line]) -> tuple[Header, list[Operation]]:
        """The commit's header and operations; the files that come with it are blobs by then."""
        header, project = Header(), current_project()
        operations: list[Operation] = []

        def accept(line: Line) -> Operation | None:
            with project_scope(project):  # in a thread of the pool, which has a scope of its own
                return self._accept(kind, line)

        with ThreadPoolExecutor(_PARALLEL_WRITES, thread_name_prefix="file") as pool:
            for some in _batches(lines):
                for line, stored in zip(some, pool.map(accept, some), strict=True):
                    if stored is not None:
                        operations.append(stored)
                    elif isinstance(line, Header):
                        header = line
        return header, operations

    def _accept(self, kind: str, line: Line) -> Operation | None:
        """What a line does to the tree; None for the header."""
        if isinstance(line, FileLine):
            check_files(kind, [line.path])
            return self._keep(line.path, content_of(line))
        if isinstance(line, LfsLine):
            check_files(kind, [line.path])
            check_sha256(line.oid)
            return Added(line.path, line.oid, line.size)
        return line if isinstance(line, Removed) else None

    def _keep(self, path: str, data: bytes) -> Added:
        sha256 = hashlib.sha256(data).hexdigest()
        self._blobs.put(sha256, io.BytesIO(data))
        regular = len(data) <= REGULAR_BYTES and is_text(data)
        return Added(path, sha256, len(data), blob_sha1(data) if regular else None)

    def _sizes(self, operations: Sequence[Operation]) -> dict[str, int]:
        """The size of every file that comes. Raises Invalid for one that was not uploaded, or has another size."""
        added = [one for one in operations if isinstance(one, Added)]
        stored = self._blobs.claim(BlobRow(one.sha256, one.size_bytes or 0) for one in added)
        errors = [
            FieldError("path", f"{one.path[:200]!r} was not uploaded, or not as large as it says.", "missing_blob")
            for one in added
            if stored[one.sha256] is None or one.size_bytes not in (None, stored[one.sha256])
        ]
        if errors:
            raise Invalid("Files are missing.", hint="Upload them first, then commit.", errors=errors[:100])
        return {sha256: size for sha256, size in stored.items() if size is not None}


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """A few at a time, and no more of their content than two of the largest files take."""
    kept: list[Line] = []
    size = 0
    for line in lines:
        kept.append(line)
        size += len(line.content) if isinstance(line, FileLine) else 0
        if len(kept) >= _MOST_AT_ONCE or size > REGULAR_LIMIT:
            yield kept
            kept, size = [], 0
    yield kept
