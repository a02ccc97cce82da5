"""The mirror: repositories of another hub, kept from their first use on.

A commit's sha, its files and their ETags are the upstream's own. A commit never changes and is asked for once; a
branch or a tag is asked about again when it was not for a while, and is what it was while the upstream is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatchcase

from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from registry.hub.errors import RevisionNotFound
from registry.hub.names import check_id, no_repository
from registry.hub.wire import RefsView
from registry.mirror import repository
from registry.mirror.errors import UpstreamAway
from registry.mirror.repository import Known, Mirrored
from registry.mirror.revision_path import is_sha, split
from registry.mirror.upstream_hub import UpstreamHub
from registry.repos import history_repository
from registry.repos import repository as repositories
from registry.repos.values import Repository

_AWAY_SECONDS = 5.0
_STRIPES = 256
_LOCK_SECONDS = 60.0


class Mirror:
    """Safe to share between threads. Raises what the upstream says, and UpstreamAway when it says nothing.

    `serves` tells whether the upstream may be asked on behalf of the request at hand; `patterns` of names limit what
    is mirrored, as does what `is_ours` says of a kind and a name; a branch or a tag is asked about again after `fresh`.
    """

    def __init__(
        self,
        engine: Engine,
        upstream: UpstreamHub,
        serves: Callable[[], bool],
        patterns: Sequence[str],
        fresh: timedelta,
        is_ours: Callable[[str, str], bool],
    ) -> None:
        self._engine = engine
        self._upstream = upstream
        self._serves = serves
        self._patterns = patterns
        self._fresh = fresh
        self._is_ours = is_ours
        self._away_until = 0.0
        self._locks = [threading.Lock() for _ in range(_STRIPES)]

    def pin(self, kind: str, name: str, rest: str, *, whole: bool = False) -> str:
        """`revision/path` with the commit's sha in the revision's place, which is kept then; `whole`: all of it is the
        revision. As it was for a repository of this registry's own, and for one that is not to be mirrored."""
        check_id(kind, name)
        found = self._find(kind, name)
        if not self._is_mirrored(kind, name, found):
            return rest
        revision, path = (rest, "") if whole else split(rest)
        try:
            sha = self._sha_of(kind, name, found, revision)
        except RevisionNotFound:
            longer = None if whole else self._longer(kind, name, rest)
            if longer is None:
                raise
            revision, path = longer, rest[len(longer) + 1 :]
            sha = self._sha_of(kind, name, found, revision)
        return f"{sha}/{path}" if path else sha

    def refs(self, kind: str, name: str) -> RefsView | None:
        """The upstream's branches and tags; None for a repository that is not to be mirrored."""
        check_id(kind, name)
        found = self._find(kind, name)
        if not self._is_mirrored(kind, name, found):
            return None
        kept = self._kept_refs(found)
        if (kept is None or not kept[1]) and self._asks(name, kept is not None):
            try:
                with self._watched():
                    told = self._upstream.refs(kind, name)
                self._keep_refs(kind, name, told)
                return told
            except UpstreamAway:
                if kept is None:
                    raise
        if kept is None:
            raise _not_kept(f"The list of branches of {name!r} is not kept here.")
        return RefsView.model_validate(kept[0])

    def reaches(self, name: str) -> bool:
        """Whether files that are not kept can be fetched at all."""
        return self._asks(name, False)

    def mirrors(self) -> Sequence[Mirrored]:
        """All mirrored repositories."""
        with UnitOfWork(self._engine) as tx:
            return repository.mirrors(tx.connection)

    def drop(self, kind: str, name: str) -> None:
        """Keep nothing more of a repository: what nothing else names is collected after its grace."""
        with UnitOfWork(self._engine) as tx:
            found = repositories.find(tx.connection, kind, name, lock=True)
            if found is None or found.mirrored_from is None:
                raise no_repository(kind, name)
            repository.drop(tx.connection, found.id)

    def _sha_of(self, kind: str, name: str, found: Repository | None, revision: str) -> str:
        """The sha of a revision whose commit is kept."""
        known = self._known(found, revision)
        if known is not None and (known.fresh or not self._asks(name, True)):
            return known.sha
        if not self._asks(name, known is not None):
            raise _not_kept(f"{revision[:200]!r} of {name!r} is not kept here.")
        try:
            with self._lock(kind, name, revision) as waited:
                other = self._known(self._find(kind, name), revision)
                if other is not None and other.fresh:
                    return other.sha
                if waited and time.monotonic() < self._away_until:
                    raise UpstreamAway("The upstream did not answer a moment ago.", hint="Try again in a moment.")
                return self._ask(kind, name, revision)
        except UpstreamAway:
            if known is None:
                raise
            return known.sha

    def _ask(self, kind: str, name: str, revision: str) -> str:
        """Ask the upstream which commit it is, and keep that."""
        with self._watched():
            told = self._upstream.info(kind, name, revision)
            found = self._find(kind, name)
            kept = self._known(found, told.sha) is not None
            tree = {} if kept else self._upstream.tree(kind, name, told.sha)
        commit = told.as_commit()
        with UnitOfWork(self._engine) as tx:
            mirrored = repository.ensure(
                tx.connection,
                kind,
                name,
                upstream=self._upstream.endpoint,
                private=told.private,
                created_at=told.created_at or commit.created_at,
            )
            if mirrored.mirrored_from is None:
                return revision  # somebody made one of this name meanwhile
            if not kept:
                repository.keep_commit(tx.connection, mirrored.id, commit, tree)
            if not is_sha(revision):
                repository.note_revision(tx.connection, mirrored.id, revision, told.sha)
        return told.sha

    def _known(self, found: Repository | None, revision: str) -> Known | None:
        if found is None:
            return None
        with UnitOfWork(self._engine) as tx:
            if not is_sha(revision):
                return repository.find_revision(tx.connection, found.id, revision, self._fresh)
            commit = history_repository.find_commit(tx.connection, found.id, revision)
            return Known(commit.sha, True) if commit is not None else None

    def _longer(self, kind: str, name: str, rest: str) -> str | None:
        """The branch or tag with slashes in its name that `rest` begins with."""
        refs = self.refs(kind, name)
        names = [ref.name for ref in (*refs.branches, *refs.tags)] if refs is not None else []
        fitting = [one for one in names if "/" in one and f"{rest}/".startswith(f"{one}/")]
        return max(fitting, key=len, default=None)

    def _kept_refs(self, found: Repository | None) -> tuple[object, bool] | None:
        if found is None:
            return None
        with UnitOfWork(self._engine) as tx:
            return repository.find_refs(tx.connection, found.id, self._fresh)

    def _keep_refs(self, kind: str, name: str, told: RefsView) -> None:
        """Only of a repository of which something is kept."""
        with UnitOfWork(self._engine) as tx:
            found = repositories.find(tx.connection, kind, name, lock=True)
            if found is not None and found.mirrored_from is not None:
                repository.note_refs(tx.connection, found.id, told.model_dump(mode="json", by_alias=True))

    def _is_mirrored(self, kind: str, name: str, found: Repository | None) -> bool:
        mirrored = found.mirrored_from is not None if found is not None else self._asks(name, False)
        return mirrored and not self._is_ours(kind, name)

    def _asks(self, name: str, something_kept: bool) -> bool:
        """Whether to ask the upstream; where something is kept, not in the moments after it did not answer."""
        if something_kept and time.monotonic() < self._away_until:
            return False
        return self._serves() and any(fnmatchcase(name, pattern) for pattern in self._patterns)

    def _find(self, kind: str, name: str) -> Repository | None:
        with UnitOfWork(self._engine) as tx:
            return repositories.find(tx.connection, kind, name)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except UpstreamAway:
            self._away_until = time.monotonic() + _AWAY_SECONDS
            raise

    @contextmanager
    def _lock(self, *what: str) -> Iterator[bool]:
        """Of many that ask for the same at once, one asks the upstream. Gives whether there was one before."""
        lock = self._locks[hash(what) % _STRIPES]
        waited = not lock.acquire(blocking=False)
        if waited and not lock.acquire(timeout=_LOCK_SECONDS):
            raise UpstreamAway("The upstream takes too long to answer.", hint="Try again in a moment.")
        try:
            yield waited
        finally:
            lock.release()


def _not_kept(message: str) -> UpstreamAway:
    return UpstreamAway(
        message, hint="The upstream is not asked: KARGAH_MIRROR is off, or the name is not in its list."
    )
