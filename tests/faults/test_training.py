"""The real trainer on real PyTorch: killed, out of disk, out of numbers."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kargah.contracts.checkpoints import MANIFEST, read_manifest
from kargah.domain.job_state import Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.jobstore import attempt_repository, control_repository, query_repository
from kargah.jobstore.values import JobFilter
from worker.agent.child_env import zygote_env
from worker.testing.agent_bench import AgentBench
from worker.testing.processes import alive, command, poll, until
from worker.testing.real_jobs import RealJobs, real_jobs
from worker.zygote.entry import PRELOAD, TRAINER

from .conftest import lasting_bench
from .disk import Disk, small_disk

MIB = 1 << 20
CHECKPOINTS = {"checkpoint_steps": 5, "checkpoint_seconds": 0}
# What makes a step depend on all that came before: dropout, accumulation, a schedule.
DELICATE = CHECKPOINTS | {"epochs": 12, "gradient_accumulation": 2, "lr_schedule": "cosine"}


@pytest.fixture(scope="module")
def bench(
    postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AgentBench]:
    """A bench whose trainers are forked from a zygote that has imported PyTorch."""
    folder = tmp_path_factory.mktemp("training")
    with lasting_bench(postgres, object_store_server, folder) as bench:
        bench.zygote = command(zygote_env(os.environ, folder / "cache"), folder, PRELOAD, TRAINER)
        yield bench


@pytest.fixture(scope="module")
def disk(bench: AgentBench) -> Iterator[Disk]:
    """What the agent works on."""
    with small_disk(bench.folder / "agent") as disk:
        yield disk


@pytest.fixture(scope="module")
def jobs(bench: AgentBench, disk: Disk) -> Iterator[RealJobs]:
    """An agent at work, for jobs one after the other."""
    with bench.agent():
        yield real_jobs(bench, attention_dropout=0.2, vocab_size=16_000)


@pytest.fixture(autouse=True)
def _nothing_left_running(jobs: RealJobs) -> Iterator[None]:
    """A test that fails does not hold up the next."""
    yield
    for job in jobs.bench.jobs.do(query_repository.list_jobs, JobFilter())[0]:
        if job.finished_at is None:
            jobs.bench.jobs.do(control_repository.cancel, job.id)


def trainer_pid() -> int:
    """The one process that this test's own zygote has forked."""
    own = os.getpid()
    return poll(
        lambda: next((pid for pid in pids() if is_zygote(parent(pid)) and descends(pid, own)), None), "a trainer"
    )


def pids() -> list[int]:
    return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]


def is_zygote(pid: int) -> bool:
    try:
        return b"worker.zygote.main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def parent(pid: int) -> int:
    """0 for the first process, and for one that has just ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def descends(pid: int, ancestor: int) -> bool:
    while pid and pid != ancestor:
        pid = parent(pid)
    return pid == ancestor


def reached(jobs: RealJobs, job_id: str, step: int) -> None:
    jobs.bench.wait(job_id, lambda job: (job.progress.step or 0) >= step or job.finished_at is not None, f"step {step}")


def losses(jobs: RealJobs, job_id: str) -> dict[int, float]:
    points = jobs.bench.jobs.metrics(job_id, name="loss")
    return {point.step: point.value for point in points}


def assert_checkpoints_whole(jobs: RealJobs, job_id: str) -> int:
    """The newest stored one is what its manifest says; its step. (Older ones may be removed at any moment.)"""
    newest = jobs.bench.jobs.do(attempt_repository.restorable, job_id)[0]
    for entry in read_manifest(jobs.bench.store.get(newest.prefix + MANIFEST)).files:
        data = jobs.bench.store.get(newest.prefix + entry.path)
        assert hashlib.sha256(data).hexdigest() == entry.sha256
    return newest.step


def events(jobs: RealJobs, job_id: str, name: str) -> list[dict[str, object]]:
    return [event.data for event in jobs.bench.jobs.events(job_id) if event.type == name]


def test_a_run_killed_again_and_again_is_to_the_bit_the_run_that_was_not(jobs: RealJobs) -> None:
    whole = jobs.submit(**DELICATE)
    assert jobs.bench.wait_ended(whole).status is Status.COMPLETED
    killed = jobs.submit(**DELICATE)
    total = max(losses(jobs, whole))
    for step in (8, 23, 41):
        reached(jobs, killed, step)
        pid = trainer_pid()
        os.kill(pid, signal.SIGKILL)
        until(lambda pid=pid: not alive(pid), "its end")
    job = jobs.bench.wait_ended(killed)
    assert job.status is Status.COMPLETED and job.attempt == 4
    assert losses(jobs, killed) == losses(jobs, whole) and len(losses(jobs, whole)) == total
    assert jobs.weights_sha256(killed) == jobs.weights_sha256(whole)


def test_a_run_on_two_devices_goes_on_to_the_bit_when_one_of_its_processes_is_killed(jobs: RealJobs) -> None:
    delicate = DELICATE | {"epochs": 3}
    whole = jobs.submit(devices=2, **delicate)
    assert jobs.bench.wait_ended(whole).status is Status.COMPLETED
    killed = jobs.submit(devices=2, **delicate)
    reached(jobs, killed, 8)
    (started,) = events(jobs, killed, "ranks_started")
    ranks = started["pids"]
    assert isinstance(ranks, list) and len(ranks) == 2
    os.kill(ranks[1], signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in ranks), "the end of both")
    job = jobs.bench.wait_ended(killed)
    assert job.status is Status.COMPLETED and job.attempt == 2
    first = min(jobs.bench.jobs.do(query_repository.list_attempts, killed), key=lambda attempt: attempt.attempt)
    assert first.error is not None and first.error.code == "rank_lost"
    assert losses(jobs, killed) == losses(jobs, whole)
    assert jobs.weights_sha256(killed) == jobs.weights_sha256(whole)


def test_a_loss_that_is_not_a_number_ends_the_job_with_the_step_and_keeps_its_checkpoints(jobs: RealJobs) -> None:
    diverging = {"learning_rate": 10, "weight_decay": 1, "max_grad_norm": 0, "warmup_ratio": 0, "epochs": 50}
    job_id = jobs.submit(**CHECKPOINTS, **diverging)  # the decay multiplies each weight by -9, step by step
    job = jobs.bench.wait_ended(job_id)
    assert job.status is Status.ERROR and job.attempt == 1 and job.error is not None
    last = max(losses(jobs, job_id))
    assert job.error.code == "nan_loss" and f"at step {last + 1} of" in job.error.message
    assert 1 <= assert_checkpoints_whole(jobs, job_id) <= last


def test_a_full_disk_is_told_training_goes_on_and_the_old_checkpoint_stays(jobs: RealJobs, disk: Disk) -> None:
    bench = jobs.bench
    job_id = jobs.submit(checkpoint_steps=20, checkpoint_seconds=0, epochs=10_000)
    until(lambda: bench.checkpoint_steps(job_id) != [], "a checkpoint")
    pid = trainer_pid()
    disk.fill(pid)
    (failed, *_) = poll(lambda: events(jobs, job_id, "checkpoint_failed") or None, "the news")
    saved = assert_checkpoints_whole(jobs, job_id)
    at = bench.get(job_id).progress.step or 0
    reached(jobs, job_id, at + 1)
    disk.free(pid)
    until(lambda: bench.checkpoint_steps(job_id)[0] > saved, "a newer checkpoint")
    bench.jobs.do(control_repository.request_stop, job_id)
    job = bench.wait_ended(job_id)
    assert "could not be written" in str(failed["message"]) and "Make room" in str(failed["hint"])
    assert job.status is Status.COMPLETED and job.attempt == 1


def test_a_disk_without_room_for_the_inputs_is_named_and_once_there_is_room_it_goes_on(
    jobs: RealJobs, disk: Disk
) -> None:
    bench, agent = jobs.bench, os.getpid()
    larger = jobs.with_file("notes.txt", secrets.token_bytes(MIB))
    disk.fill(agent)
    try:
        job_id = larger.submit(**CHECKPOINTS, max_steps=10)
        error = poll(lambda: next(iter(errors(jobs, job_id)), None), "the error")
    finally:
        disk.free(agent)
    assert error["code"] == "disk_full" and "disk is full" in str(error["message"])
    job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and 2 <= job.attempt <= 3


def errors(jobs: RealJobs, job_id: str) -> list[dict[str, object]]:
    return [event.data["error"] for event in jobs.bench.jobs.events(job_id) if event.data.get("error")]
