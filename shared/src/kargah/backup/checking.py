"""Whether what was saved is still what it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from kargah.backup.documents import Piece, Summary
from kargah.backup.errors import Damaged
from kargah.backup.progress import Progress
from kargah.backup.vault import Vault

_AT_ONCE = 4
_DATABASE = "the database"


@dataclass(frozen=True)
class Problem:
    """What is wrong with a file; `names` are the keys that it holds, `backups` the ids that need it."""

    sha256: str
    what: str
    names: Sequence[str]
    backups: Sequence[str]


@dataclass(frozen=True)
class Checked:
    """`files` were looked at, and `size` bytes of them read."""

    files: int
    size: int
    problems: Sequence[Problem]


class Check:
    """Every file of `backups`: there, in full, and with `read` also by its sha256."""

    def __init__(self, vault: Vault, backups: Sequence[Summary], progress: Progress, *, read: bool) -> None:
        self._vault = vault
        self._backups = backups
        self._progress = progress
        self._read = read
        self._pieces: dict[str, Piece] = {}
        self._names: dict[str, set[str]] = defaultdict(set)
        self._used_by: dict[str, set[str]] = defaultdict(set)

    def run(self) -> Checked:
        """Raises TargetUnreachable."""
        problems = [problem for backup in self._backups for problem in self._gather(backup)]
        there = self._vault.sizes()
        whole = [piece for sha256, piece in self._pieces.items() if there.get(sha256) == piece.size]
        absent = [piece for sha256, piece in self._pieces.items() if sha256 not in there]
        torn = [piece for sha256, piece in self._pieces.items() if there.get(sha256, piece.size) != piece.size]
        problems += [self._problem(piece, "is not there") for piece in absent]
        problems += [self._problem(piece, f"has {there[piece.sha256]} bytes of {piece.size}") for piece in torn]
        if self._read:
            problems += self._damaged(whole)
        return Checked(len(self._pieces), sum(piece.size for piece in whole) if self._read else 0, problems)

    def _gather(self, backup: Summary) -> Iterable[Problem]:
        try:
            contents = self._vault.contents(backup)
        except Damaged as error:
            return [Problem(backup.contents_sha256, str(error), [], [backup.id])]
        for piece in (*contents.objects, *contents.database):
            self._pieces[piece.sha256] = piece
            self._names[piece.sha256].add(getattr(piece, "key", _DATABASE))
            self._used_by[piece.sha256].add(backup.id)
        return []

    def _damaged(self, pieces: Sequence[Piece]) -> list[Problem]:
        self._progress.begin("check", len(pieces), sum(piece.size for piece in pieces))
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="check") as pool:
            return [found for found in pool.map(self._look, pieces) if found is not None]

    def _look(self, piece: Piece) -> Problem | None:
        try:
            with self._vault.open(piece) as content:
                for data in content:
                    self._progress.advance(len(data))
        except Damaged:
            return self._problem(piece, "is damaged")
        return None

    def _problem(self, piece: Piece, what: str) -> Problem:
        return Problem(piece.sha256, what, sorted(self._names[piece.sha256]), sorted(self._used_by[piece.sha256]))
