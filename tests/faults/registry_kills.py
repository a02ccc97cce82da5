"""Kills the registry at random instants of installs, imports, pushes, exports and deletions; counts what came of it.

`python -m tests.faults.registry_kills --rounds 100 --seed 7` for a long one; `test_registry_kills.py` runs a short one.
"""

from __future__ import annotations

import random
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import httpx2
from huggingface_hub.errors import HfHubHTTPError

from kargah.clients.bundles.export import export_model
from kargah.clients.client import Client
from kargah.clients.transport import ApiError, Unreachable
from kargah.contracts.models import ModelFile, ModelVersionCreate
from kargah.domain.errors import Unavailable
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.registry_service import RegistryService, registry_service
from tests.faults.long_attack import command, random_pauses, strike
from tests.faults.registry_audit import what_is_wrong
from tests.faults.registry_ways import (
    KEY,
    PART,
    SEED,
    TUNED,
    Files,
    Ledger,
    Sender,
    files_of,
    write_adapter,
    write_model,
)
from worker.agent.refusals import PeerRefused
from worker.installs.errors import InstallFailed

SETTINGS = {"KARGAH_HUB_PART_BYTES": str(PART), "KARGAH_LOG_LEVEL": "ERROR"}
_SENDERS = 3
_LONGEST_PEACE = 1.5
_END_SECONDS = 180
_BUNDLES = 2
Bundles = Mapping[Path, Mapping[str, Files]]


def attack(service: RegistryService, rounds: int, seed: int, folder: Path, bundles: Bundles, ledger: Ledger) -> None:
    """Kill and start the registry `rounds` times while senders go their ways without a pause; then let them finish."""
    enough = threading.Event()
    senders = [
        threading.Thread(
            target=_send_on, args=(Sender(service, folder, ledger, seed * 100 + number), ledger, bundles, enough)
        )
        for number in range(_SENDERS)
    ]
    pauses = random_pauses(rounds, seed, _LONGEST_PEACE)
    ledger.surprises += strike(service, senders, enough, pauses, _END_SECONDS)
    ledger.kills += len(pauses)


def _send_on(sender: Sender, ledger: Ledger, bundles: Bundles, enough: threading.Event) -> None:
    while not enough.is_set():
        try:
            sender.go(bundles)
        except Exception as error:  # the edge of a thread: judged here
            ledger.broken += 1
            if not _is_away(error):
                ledger.surprises.append(" <- ".join(_told(error)))


def _told(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{type(error).__name__}: {error}"[:400]
        error = error.__cause__


def _is_away(error: BaseException | None) -> bool:
    """Whether a client says that nobody answered, or that it should try again; some wrap what others raised."""
    match error:
        case Unreachable() | Unavailable() | httpx.TransportError() | httpx2.TransportError() | OSError():
            return True
        case ApiError():
            return error.problem.status in (httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.NOT_FOUND)
        case HfHubHTTPError():
            return error.response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
        case InstallFailed():
            return not error.permanent
        case PeerRefused():
            return error.status == httpx.codes.SERVICE_UNAVAILABLE
        case RuntimeError():
            return _is_away(error.__cause__) or "xet" in str(error).lower() or "connect" in str(error).lower()
    return False


def _prepare(service: RegistryService, folder: Path, ledger: Ledger) -> dict[Path, dict[str, Files]]:
    """A model that stays, an adapter upon it, and bundles of others that are gone again by then."""
    chance = random.Random(0)
    with Client(service.url) as client:
        base = write_model(folder / "base", chance)
        client.models.install_folder(base, SEED)
        tuned = _upon(client, SEED, TUNED, folder / "tuned")
        ledger.tried |= {files_of(base), files_of(tuned)}
        return {path: models for path, models in (_bundle(client, folder, ledger, one) for one in range(_BUNDLES))}


def _bundle(client: Client, folder: Path, ledger: Ledger, number: int) -> tuple[Path, dict[str, Files]]:
    base, tuned, path = f"bundle/base{number}", f"bundle/tuned{number}", folder / f"{number}.kargah"
    whole = write_model(folder / f"bundled-{number}", random.Random(number))
    client.models.install_folder(whole, base)
    adapter = _upon(client, base, tuned, folder / f"adapter-{number}")
    export_model(client, tuned, path, KEY)
    client.models.delete(tuned)
    client.models.delete(base)
    models = {base: files_of(whole), tuned: files_of(adapter)}
    ledger.tried |= set(models.values())
    return path, models


def _upon(client: Client, base: str, name: str, folder: Path) -> Path:
    """An adapter upon the model `base`."""
    write_adapter(folder)
    files = []
    for path in sorted(folder.iterdir()):
        sha256 = dict(files_of(folder))[path.name]
        client.models.put_blob(sha256, path.stat().st_size, iter([path.read_bytes()]))
        files.append(ModelFile(path=path.name, size_bytes=path.stat().st_size, sha256=sha256))
    lineage = {"base_version_id": client.models.get(base).latest.id}
    client.models.add_version(name, ModelVersionCreate(files=files, source="test", lineage=lineage))
    return folder


def run(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, rounds: int, seed: int, folder: Path
) -> tuple[Ledger, list[str]]:
    """An attack on a registry of its own; the ledger and what is wrong."""
    ledger = Ledger()
    with registry_service(postgres, server, SETTINGS) as service:
        bundles = _prepare(service, folder, ledger)
        attack(service, rounds, seed, folder, bundles, ledger)
        wrong = what_is_wrong(service, ledger)
    shutil.rmtree(folder, ignore_errors=True)
    return ledger, wrong


def _summary(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, rounds: int, seed: int, folder: Path
) -> tuple[str, list[str]]:
    ledger, wrong = run(postgres, server, rounds, seed, folder)
    told = f"{ledger.kills} kills, {len(ledger.acknowledged)} versions and commits acknowledged"
    return f"{told}, {ledger.broken} broken off, {len(ledger.gone)} deleted", wrong


if __name__ == "__main__":
    command("registry_kills", 100, _summary)
