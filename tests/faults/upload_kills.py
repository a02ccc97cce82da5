"""Kills the dataset service at random instants of uploads, completions, repairs and splits; counts what came of it.

`python -m tests.faults.upload_kills --rounds 100 --seed 7` for a long one; `test_uploads.py` runs a short one.
"""

from __future__ import annotations

import hashlib
import json
import random
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from dataset_svc.janitor import Janitor
from dataset_svc.resumable.leftovers import give_up_silent, live_folders
from dataset_svc.resumable.service import ResumableUploads, Rules
from kargah.adapters.minio_store import MinioStore
from kargah.clients.client import Client
from kargah.clients.transport import ApiError, Unreachable
from kargah.clients.upload_in_parts import Stage, UploadInParts
from kargah.contracts.datasets import DatasetVersionView, HashSplit, SplitRequest
from kargah.db.engine import Engine, create_engine
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service
from kargah.testing.waiting import wait_until
from tests.faults.long_attack import command, random_pauses, strike

PART = 5 << 20
SETTINGS = {"KARGAH_UPLOAD_PART_BYTES": str(PART), "KARGAH_UPLOAD_LEASE_SECONDS": "1"}
_SENDERS = 3
_LONGEST_PEACE = 1.5
_END_SECONDS = 120
_ENOUGH = 50  # rows, to have some in each split


class GivenUp(Exception):
    """A sender that goes away for good in the middle of its file."""


@dataclass
class Ledger:
    """What was acknowledged (dataset and sha256 of the file), how often was killed, how many senders went away."""

    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    kills: int = 0
    broken: int = 0
    given_up: int = 0
    surprises: list[str] = field(default_factory=list)


def attack(service: DatasetService, rounds: int, seed: int, folder: Path) -> Ledger:
    """Kill and start the service `rounds` times while three senders upload without a pause; then let them finish."""
    ledger, enough = Ledger(), threading.Event()
    senders = [
        threading.Thread(target=_send_on, args=(service, seed * 100 + number, folder, ledger, enough))
        for number in range(_SENDERS)
    ]
    pauses = random_pauses(rounds, seed, _LONGEST_PEACE)
    ledger.surprises += strike(service, senders, enough, pauses, _END_SECONDS)
    ledger.kills += len(pauses)
    return ledger


def _send_on(service: DatasetService, seed: int, folder: Path, ledger: Ledger, enough: threading.Event) -> None:
    chance, number = random.Random(seed), 0
    while not enough.is_set():
        number += 1
        path = folder / f"sender-{seed}-{number}.jsonl"
        path.write_bytes(_rows(chance, chance.choice((1000, 300_000, PART + 1000, 2 * PART + 1000))))
        try:
            _send(service, path, chance, ledger)
        except GivenUp:
            ledger.given_up += 1
        except Unreachable:
            ledger.broken += 1
        except ApiError as error:
            if error.problem.status != httpx.codes.SERVICE_UNAVAILABLE:
                ledger.surprises.append(str(error))
            ledger.broken += 1
        finally:
            path.unlink()


def _send(service: DatasetService, path: Path, chance: random.Random, ledger: Ledger) -> None:
    """In parts or in one request; some senders go away in the middle."""
    name, digest = f"d{chance.randrange(4)}", hashlib.sha256(path.read_bytes()).hexdigest()
    goes_away = chance.random() < 0.2

    def watch(stage: Stage, done: int, total: int) -> None:
        if goes_away and stage == "sending" and done >= total // 2:
            raise GivenUp

    with Client(service.url) as client:
        if chance.random() < 0.4:
            version = client.datasets.upload(path, name=name)
        else:
            version = UploadInParts(client.transport, path, {"name": name}, watch).send()
        if version.source_sha256 != digest:
            ledger.surprises.append(f"{path.name} became a version of {version.source_sha256}")
        ledger.acknowledged.append((version.dataset, digest))
        _change(client, version, chance)


def _change(client: Client, version: DatasetVersionView, chance: random.Random) -> None:
    """Have some of the versions repaired or divided, and see that it gets to its end."""
    if (drawn := chance.random()) < 0.2:
        client.datasets.repair(version.dataset, ["all"], version=version.version)
    elif drawn < 0.4 and version.stats.rows > _ENOUGH:
        client.datasets.split(version.dataset, SplitRequest(version=version.version, hash=HashSplit(test=0.4)))


def _rows(chance: random.Random, size: int) -> bytes:
    """At least two rows, of which no two files share one."""
    filler = "واژه " * 200
    rows, count = [], 0
    while count < size or len(rows) < 2:
        row = {"question": f"{chance.random()} {filler}", "answer": str(chance.random())}
        rows.append(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        count += len(rows[-1])
    return b"".join(rows)


def what_is_wrong(service: DatasetService, ledger: Ledger) -> list[str]:
    """Acknowledged versions that are not there, versions that are not whole, and objects that are nobody's after the
    grace. Empty when all is well."""
    engine = create_engine(service.environment["KARGAH_DATABASE_URL"])
    _settle(service, engine)
    wrong, needed, sources = list(ledger.surprises), set[str](), set[tuple[str, str]]()
    for name in service.names():
        for version in service.client.get(f"/api/datasets/{name}/versions?limit=200").json()["items"]:
            sources.add((name, version["sourceSha256"]))
            for digest in _objects_of(version):
                needed.add(f"datasets/{digest}")
                if not _is_whole(service.store, digest):
                    wrong.append(f"{name} version {version['version']} is not whole")
    wrong += [f"acknowledged and gone: {one}" for one in set(ledger.acknowledged) - sources]
    _janitor(service, engine).look()
    engine.dispose()
    left = set(service.stored())
    wrong += [f"nobody's: {key}" for key in left - needed] + [f"missing: {key}" for key in needed - left]
    return wrong + [f"still under way: {one.key}" for one in service.store.multiparts("")]


def _objects_of(version: dict[str, Any]) -> list[str]:
    """The digests of its rows, its source, and, where it is divided, of the splits and of each one's own file."""
    splits = version["splits"]
    divided = [splits["sha256"], *splits["files"].values()] if splits else []
    return [version["sha256"], version["sourceSha256"], *divided]


def _is_whole(store: MinioStore, digest: str) -> bool:
    return hashlib.sha256(store.get(f"datasets/{digest}")).hexdigest() == digest


def _settle(service: DatasetService, engine: Engine) -> None:
    """Open uploads are given up; those being checked, repairs and splits get to their end."""
    give_up_silent(_janitor(service, engine).uploads, engine, timedelta(0))
    wait_until(lambda: not live_folders(engine) and not _changing(service), timeout=_END_SECONDS, every=0.2)


def _changing(service: DatasetService) -> bool:
    newest = service.client.get("/api/datasets/changes?limit=200").json()["items"]
    return any(change["state"] in ("waiting", "working") for change in newest)


def _janitor(service: DatasetService, engine: Engine) -> Janitor:
    """One for whom the grace is over: when nothing is going on, all that is nobody's is old enough."""
    uploads = ResumableUploads(service.store, engine, Rules(1 << 30, PART, timedelta(0)), lambda: None)
    return Janitor(service.store, engine, uploads, 3600, timedelta(0), timedelta(0))


def run(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, rounds: int, seed: int, folder: Path
) -> tuple[Ledger, list[str]]:
    """An attack on a service of its own; the ledger and what is wrong."""
    settings: Mapping[str, str] = SETTINGS
    with dataset_service(postgres, server, settings) as service:
        ledger = attack(service, rounds, seed, folder)
        return ledger, what_is_wrong(service, ledger)


def _summary(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, rounds: int, seed: int, folder: Path
) -> tuple[str, list[str]]:
    ledger, wrong = run(postgres, server, rounds, seed, folder)
    told = f"{ledger.kills} kills, {len(ledger.acknowledged)} versions acknowledged, {ledger.broken} uploads broken off"
    return f"{told}, {ledger.given_up} senders gone", wrong


if __name__ == "__main__":
    command("upload_kills", 100, _summary)
