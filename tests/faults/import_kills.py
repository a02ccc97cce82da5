"""Kills the worker and the dataset service at random instants of imports, and counts what came of it.

`python -m tests.faults.import_kills --rounds 50 --seed 3` for a long one; `test_imports.py` runs a short one.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kargah.adapters.minio_store import MinioStore
from kargah.contracts.jobs import JobConfig
from kargah.db.migrate import migrate
from kargah.domain.job_state import TERMINAL, Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.jobstore.values import RetryPolicy
from kargah.testing.dataset_service import DatasetService, dataset_service
from tests.faults.conftest import SHORT, sweeping
from tests.faults.long_attack import command
from tests.faults.upload_kills import SETTINGS, Ledger, what_is_wrong
from worker.agent.dataset_parts import PARTS_FROM
from worker.testing.agent_bench import AgentBench, agent_bench
from worker.testing.agent_process import AgentHouse
from worker.testing.file_server import serving_files
from worker.testing.processes import until
from worker.zygote.entry import TRAINER

Kill = Callable[[], None]
_LONGEST_PEACE = 2.0
_END_SECONDS = 180.0
_PATIENT = RetryPolicy(max_crashes=1000, backoff_seconds=0.0)
SIZES = (200_000, PARTS_FROM + 100_000)


@dataclass
class Attack:
    """What stands, what is imported, and what was killed how often."""

    bench: AgentBench
    service: DatasetService
    house: AgentHouse
    files: dict[str, bytes]
    killed: dict[str, int] = field(default_factory=lambda: {"worker": 0, "service": 0})
    jobs: dict[str, str] = field(default_factory=dict)

    def run(self, rounds: int, seed: int, url: str) -> None:
        """Import every file again and again, each time under another name, while one or the other is killed."""
        chance = random.Random(seed)
        for number in range(rounds):
            self._submit(number, url)
            with self._worker(number) as kill:
                self._strike(chance, kill)
        with self._worker(rounds):
            until(lambda: all(self.bench.get(job).status in TERMINAL for job in self.jobs), "ends", _END_SECONDS)

    def _submit(self, number: int, url: str) -> None:
        if not self._waiting():
            for path in self.files:
                name = f"d{number}-{path.strip('/').partition('.')[0]}"
                config = JobConfig(recipe="import", output_dataset=name, params={"source": url + path})
                self.jobs[self.bench.submit_config("import", config)] = path

    def _waiting(self) -> list[str]:
        return [job for job in self.jobs if self.bench.get(job).status not in TERMINAL]

    def _strike(self, chance: random.Random, kill: Kill) -> None:
        """At a random instant after a job was seen at work; the service sometimes, then the worker."""
        until(lambda: any(self.bench.get(job).status is not Status.PENDING for job in self._waiting()), "work", 60)
        for victim in chance.choice((["worker"], ["service"], ["service", "worker"])):
            threading.Event().wait(chance.random() * _LONGEST_PEACE)  # nobody sets it: a pause of random length
            self.killed[victim] += 1
            if victim == "worker":
                kill()
            else:
                self.service.stop(signal.SIGKILL)
                self.service.start()

    @contextmanager
    def _worker(self, number: int) -> Iterator[Kill]:
        with self.house.agent(f"worker-{number}") as agent:
            yield agent.process.kill

    def ledger(self) -> Ledger:
        """Completed jobs are acknowledged: their rows must be there. Every job must have completed."""
        ledger = Ledger(kills=sum(self.killed.values()))
        for job_id, path in self.jobs.items():
            job = self.bench.get(job_id)
            if job.status is not Status.COMPLETED or job.result is None:
                ledger.surprises.append(f"the import of {path} ended in {job.status}: {job.error}")
            else:
                digest = hashlib.sha256(self.files[path]).hexdigest()
                ledger.acknowledged.append((str(job.result["dataset"]), digest))
        return ledger


def rows(seed: int, size: int) -> bytes:
    """JSON lines of about so many bytes; the second half of the file is held out."""
    chance, filler, found, count = random.Random(seed), "واژه " * 400, list[bytes](), 0
    while count < size:
        row = {
            "question": f"{chance.random()} {filler}",
            "answer": "x",
            "split": "train" if count < size / 2 else "test",
        }
        found.append(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        count += len(found[-1])
    return b"".join(found)


@contextmanager
def _bench(postgres: EmbeddedPostgres, store: MinioStore, folder: Path) -> Iterator[tuple[AgentBench, str]]:
    name = f"test_{secrets.token_hex(6)}"
    ensure_roles(postgres.superuser_dsn, name, {"gateway": "only-for-tests"})
    url = postgres.dsn(name, "gateway", "only-for-tests")
    migrate(url, "gateway")
    with agent_bench(url, store, folder, os.environ) as bench:
        yield bench, url


def run(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, rounds: int, seed: int, folder: Path
) -> tuple[Attack, list[str]]:
    """An attack on a worker and a service of its own; what was done and what is wrong."""
    files = {f"/rows-{place}.jsonl": rows(seed * 10 + place, size) for place, size in enumerate(SIZES)}
    with dataset_service(postgres, server, SETTINGS) as service, serving_files(files) as source:
        with _bench(postgres, service.store, folder) as (bench, url), sweeping(url, policy=_PATIENT):
            settings = {
                **SHORT,
                "KARGAH_DATASETS_URL": service.url,
                "KARGAH_TRAINER_ENTRY": TRAINER,
                "KARGAH_ZYGOTE": "false",
                "KARGAH_IMPORT_HOSTS": json.dumps(["127.0.0.1"]),
            }
            house = AgentHouse(bench, url, server, service.store.bucket, settings)
            attack = Attack(bench, service, house, files)
            attack.run(rounds, seed, source.url)
            ledger = attack.ledger()
        for found in list(service.store.list("jobs/")):  # the jobs' logs are no leftovers
            service.store.delete(found.key)
        return attack, what_is_wrong(service, ledger)


def _summary(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, rounds: int, seed: int, folder: Path
) -> tuple[str, list[str]]:
    attack, wrong = run(postgres, server, rounds, seed, folder)
    killed = attack.killed
    return f"{killed['worker']} workers and {killed['service']} services killed, {len(attack.jobs)} imports", wrong


if __name__ == "__main__":
    command("import_kills", 50, _summary)
