"""Checkpoints mutilated in the store while their job is paused: passed over, named, and the one before it used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from kargah.domain.job_state import Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.jobstore import attempt_repository, control_repository
from kargah.jobstore.values import StoredCheckpoint
from kargah.ports.object_store import ObjectStore
from worker.testing.agent_bench import AgentBench
from worker.testing.processes import until

from .conftest import lasting_bench

STATE, WEIGHTS, MANIFEST = "state.json", "weights/model.safetensors", "manifest.json"
STEPS = 96
Damage = Callable[[ObjectStore, str, str], None]


@pytest.fixture(scope="module")
def bench(
    postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentBench]:
    """A bench with an agent at work."""
    folder = tmp_path_factory.mktemp("checkpoints")
    with lasting_bench(postgres, object_store_server, folder) as bench, bench.agent():
        yield bench


def torn(store: ObjectStore, prefix: str, _older: str) -> None:
    store.put(prefix + WEIGHTS, store.get(prefix + WEIGHTS)[:500])


def flipped(store: ObjectStore, prefix: str, _older: str) -> None:
    data = bytearray(store.get(prefix + STATE))
    data[3] ^= 1
    store.put(prefix + STATE, bytes(data))


def missing(store: ObjectStore, prefix: str, _older: str) -> None:
    store.delete(prefix + WEIGHTS)


def swapped(store: ObjectStore, prefix: str, older: str) -> None:
    """A whole file of the right size, of another step."""
    assert len(store.get(older + STATE)) == len(store.get(prefix + STATE))
    store.copy(older + STATE, prefix + STATE)


def manifest_torn(store: ObjectStore, prefix: str, _older: str) -> None:
    store.put(prefix + MANIFEST, store.get(prefix + MANIFEST)[:-20])


def manifest_swapped(store: ObjectStore, prefix: str, older: str) -> None:
    for file in (STATE, WEIGHTS, MANIFEST):
        store.copy(older + file, prefix + file)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "torn": (torn, WEIGHTS),
    "bit-flipped": (flipped, STATE),
    "missing": (missing, WEIGHTS),
    "swapped": (swapped, STATE),
    "torn manifest": (manifest_torn, MANIFEST),
    "all of another step": (manifest_swapped, MANIFEST),
}


def paused_with_two(bench: AgentBench) -> tuple[str, StoredCheckpoint, StoredCheckpoint]:
    """A paused job, its newest checkpoint and the one before; steps have two digits, files equal sizes. Its steps give
    time to pause it; once it goes on, there is nothing to wait for."""
    job_id = bench.submit(steps=STEPS, every=10, pace=0.04, resumed_pace=0.005)
    until(lambda: len(bench.checkpoint_steps(job_id)) == 2, "two checkpoints")
    bench.jobs.do(control_repository.request_pause, job_id)
    bench.wait_status(job_id, Status.PAUSED)
    newest, older, *_ = bench.jobs.do(attempt_repository.restorable, job_id)
    return job_id, newest, older


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_mutilated_checkpoint_is_named_and_the_one_before_it_used(bench: AgentBench, damage: str) -> None:
    mutilate, file = DAMAGES[damage]
    job_id, newest, older = paused_with_two(bench)
    mutilate(bench.store, newest.prefix, older.prefix)
    bench.jobs.do(control_repository.request_resume, job_id)
    job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and bench.starts(job_id) == [0, older.step]
    (told,) = [event.data for event in bench.jobs.events(job_id) if event.type == "checkpoint_damaged"]
    assert (told["step"], told["file"], told["id"]) == (newest.step, file, newest.id) and told["reason"]
    assert bench.metric_steps(job_id) == list(range(1, STEPS + 1))


def test_when_every_checkpoint_is_mutilated_each_is_named_and_it_starts_anew(bench: AgentBench) -> None:
    job_id, newest, older = paused_with_two(bench)
    stored = bench.jobs.do(attempt_repository.restorable, job_id)
    for checkpoint in stored:
        bench.store.delete(checkpoint.prefix + MANIFEST)
    bench.jobs.do(control_repository.request_resume, job_id)
    job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and bench.starts(job_id) == [0, 0]
    named = [event.data["step"] for event in bench.jobs.events(job_id) if event.type == "checkpoint_damaged"]
    assert named == [checkpoint.step for checkpoint in stored] and named[:2] == [newest.step, older.step]
    assert bench.metric_steps(job_id) == list(range(1, STEPS + 1))
