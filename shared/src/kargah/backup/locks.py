"""Who works in a place of backups: several backups at once, or one that removes things, alone.

A lock says every minute that its owner lives; one that has been silent for ten minutes counts no more.
"""

from __future__ import annotations

import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from kargah.backup.errors import BackupError, TargetUnreachable
from kargah.backup.vault import Vault

Kind = Literal["backup", "prune"]

_RENEW_SECONDS = 60.0
_SILENT_SECONDS = 600.0


@contextmanager
def locked(vault: Vault, kind: Kind) -> Iterator[None]:
    """Raises BackupError while another works there whom this would disturb."""
    name = f"{kind}-{secrets.token_hex(4)}"
    vault.write_lock(name, _told())  # first write, then look: of two who come at once, one at least sees the other
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(vault, name, ended), name="lock", daemon=True)
    try:
        _require_alone(vault, name, kind)
        renewing.start()
        yield
    finally:
        ended.set()
        if renewing.is_alive():
            renewing.join(timeout=30)
        vault.remove_lock(name)


def _require_alone(vault: Vault, name: str, kind: Kind) -> None:
    for other, text in vault.locks().items():
        if other == name or (kind == "backup" and other.startswith("backup-")):
            continue
        told = json.loads(text)
        silent = time.time() - told["at"]
        if silent < _SILENT_SECONDS:
            raise BackupError(
                f"A {other.partition('-')[0]} on {told['host']} works at {vault.target} (its last sign is "
                f"{max(0, silent):.0f} s old). Wait for it; when it was killed, its lock ends after 10 minutes."
            )
        vault.remove_lock(other)


def _renew(vault: Vault, name: str, ended: threading.Event) -> None:
    while not ended.wait(_RENEW_SECONDS):
        try:
            vault.write_lock(name, _told())
        except TargetUnreachable:
            continue  # the work itself notices, if it lasts


def _told() -> str:
    return json.dumps({"host": socket.gethostname(), "at": time.time()})
