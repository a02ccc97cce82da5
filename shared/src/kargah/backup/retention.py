"""Which backups stay, and the removal of the others with what only they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kargah.backup.documents import Summary
from kargah.backup.locks import locked
from kargah.backup.vault import Vault

_PERIODS: Mapping[str, Callable[[datetime], str]] = {
    "daily": lambda moment: f"{moment:%Y-%m-%d}",
    "weekly": lambda moment: f"{moment:%G-%V}",
    "monthly": lambda moment: f"{moment:%Y-%m}",
}


@dataclass(frozen=True)
class Policy:
    """How many of the newest stay, and of how many days, weeks and months the last one does (UTC)."""

    last: int = 1
    daily: int = 0
    weekly: int = 0
    monthly: int = 0


@dataclass(frozen=True)
class Pruned:
    """Ids, and what was freed: files and their bytes."""

    kept: Sequence[str]
    removed: Sequence[str]
    files: int
    size: int


def kept(backups: Sequence[Summary], policy: Policy) -> set[str]:
    """Ids of those that stay; `backups` with the newest last. One that lacks objects stands in for no other."""
    whole = [backup for backup in backups if not backup.missing]
    stay = {backup.id for backup in backups[-policy.last :]} if policy.last else set[str]()
    stay |= {backup.id for backup in whole[-max(1, policy.last) :]}
    for name, period in _PERIODS.items():
        last_of = {period(backup.created_at): backup.id for backup in whole}
        wanted = getattr(policy, name)
        stay |= set([last_of[key] for key in sorted(last_of)][-wanted:] if wanted else [])
    return stay


def prune(vault: Vault, policy: Policy, *, dry_run: bool = False) -> Pruned:
    """Remove the others, and every file that no backup names. Killed in between, the next prune does the rest.

    Raises BackupError while another works there.
    """
    if dry_run:
        return _prune(vault, policy, dry_run=True)
    with locked(vault, "prune"):
        return _prune(vault, policy, dry_run=False)


def _prune(vault: Vault, policy: Policy, *, dry_run: bool) -> Pruned:
    backups = vault.backups()
    stay = kept(backups, policy)
    needed = _named_by(vault, [backup for backup in backups if backup.id in stay])
    removed = [backup.id for backup in backups if backup.id not in stay]
    free = {sha256: size for sha256, size in vault.sizes().items() if sha256 not in needed}
    if not dry_run:
        for backup_id in removed:
            vault.forget(backup_id)
        for sha256 in free:
            vault.remove(sha256)
    return Pruned(sorted(stay), removed, len(free), sum(free.values()))


def _named_by(vault: Vault, backups: Sequence[Summary]) -> set[str]:
    """Raises Damaged for a list that cannot be read: what it names must not be removed then."""
    found: set[str] = set()
    for backup in backups:
        contents = vault.contents(backup)
        found |= {piece.sha256 for piece in (*contents.objects, *contents.database)}
    return found
