"""Processes killed, frozen and hung; jobs that take their trainer, or their whole worker, down every time."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from functools import partial

from kargah.domain.job_state import Status
from kargah.jobstore import attempt_repository
from kargah.jobstore.values import RetryPolicy
from worker.agent.manifest import checkpoints_root
from worker.testing.agent_bench import AgentBench
from worker.testing.agent_process import AgentHouse
from worker.testing.processes import alive, poll, until

from .conftest import Sweep


def children(pid: int) -> list[int]:
    """Its descendants, as the kernel knows them."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        direct = [int(word) for word in file.read().split()]
    return [found for child in direct for found in [child, *children(child)]]


def test_a_whole_worker_frozen_past_its_lease_changes_nothing_when_it_thaws(house: AgentHouse, sweep: Sweep) -> None:
    """Agent, zygote and trainer stop with reports and checkpoints under way; another worker finishes the job."""
    bench = house.bench
    job_id = house.submit(steps=100, every=5, pace=0.03)
    with house.agent("frozen") as frozen, sweep():
        pid = bench.trainer_pid(job_id)
        until(lambda: bench.checkpoint_steps(job_id) != [], "a checkpoint")
        whole = [frozen.process.pid, *children(frozen.process.pid)]
        assert pid in whole
        for one in whole:
            os.kill(one, signal.SIGSTOP)
        with house.agent("other"):
            job = bench.wait_ended(job_id)
        before = picture(bench, job_id)
        for one in reversed(whole):  # The agent last: it ends the trainer at once, whose id would then be nobody's.
            os.kill(one, signal.SIGCONT)
        until(lambda: not alive(pid), "the trainer's end", 3.0)
        until(lambda: frozen.metric("kargah_worker_busy") == 0, "the attempt's end")
        after = picture(bench, job_id)
        assert bench.wait_ended(house.submit(steps=1)).status is Status.COMPLETED, "it works on"
    assert job.status is Status.COMPLETED and bench.outcomes(job_id) == ["lost", "finished"]
    assert after == before and job.worker == "other"
    assert bench.metric_steps(job_id) == list(range(1, 101))


def picture(bench: AgentBench, job_id: str) -> tuple[object, ...]:
    """Everything that an attempt could write, in the database and in the store."""
    manifests = sorted(one.key for one in bench.store.list(checkpoints_root(job_id)) if "manifest" in one.key)
    return (
        bench.metric_steps(job_id),
        bench.jobs.do(attempt_repository.restorable, job_id),
        [event.number for event in bench.jobs.events(job_id)],
        manifests,
        len(bench.peers.committed),
    )


def test_a_frozen_trainer_is_found_by_its_deadline_and_the_job_resumes(bench: AgentBench) -> None:
    job_id = bench.submit(steps=40, every=10, pace=0.05)
    deadlines = {"preparing": 30.0, "training": 1.0, "evaluating": 30.0, "saving": 30.0}
    with bench.agent(deadlines=deadlines):
        pid = bench.trainer_pid(job_id)
        until(lambda: bench.checkpoint_steps(job_id) != [], "a checkpoint")
        os.kill(pid, signal.SIGSTOP)
        job = bench.wait_ended(job_id)
    assert not alive(pid)
    assert job.status is Status.COMPLETED and bench.starts(job_id)[1] >= 10
    (error,) = errors(bench, job_id)
    assert error["code"] == "hung" and "training" in str(error["message"])
    assert bench.metric_steps(job_id) == list(range(1, 41))


def test_kills_at_any_moment_cost_no_step_and_double_none(house: AgentHouse, sweep: Sweep) -> None:
    """Trainer, zygote and agent in turn, each as soon as the attempt before has got on by a checkpoint."""
    bench = house.bench
    job_id = house.submit(steps=80, every=5, pace=0.03)
    victims = ["trainer", "zygote", "agent"]
    with ExitStack() as agents, sweep():
        agent = agents.enter_context(house.agent("agent-0"))
        for number, victim in enumerate(victims, start=1):
            pid = bench.trainer_pid(job_id, attempt=number)
            until(lambda: gained(bench, job_id), "a newer checkpoint")
            zygote = parent_of(pid)
            os.kill({"trainer": pid, "zygote": zygote, "agent": agent.process.pid}[victim], signal.SIGKILL)
            until(partial(ended, pid), "the trainer's end")
            if victim == "agent":
                agent = agents.enter_context(house.agent(f"agent-{number}"))
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and job.attempt == len(victims) + 1
    starts = bench.starts(job_id)
    assert starts == sorted(set(starts)), "each attempt went on further than the one before"
    assert bench.metric_steps(job_id) == list(range(1, 81))


def ended(pid: int) -> bool:
    return not alive(pid)


def gained(bench: AgentBench, job_id: str) -> bool:
    """Whether the running attempt has stored a checkpoint of its own."""
    rows = bench.jobs.do(attempt_repository.restorable, job_id)
    return bool(rows) and rows[0].generation == bench.get(job_id).attempt


def parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def test_a_job_that_takes_its_worker_down_each_time_ends_in_error(house: AgentHouse, sweep: Sweep) -> None:
    """The agent itself dies: nobody but the sweep can count these crashes."""
    bench = house.bench
    poison = house.submit(steps=100_000, every=100_000, pace=0.05)
    with sweep(policy=RetryPolicy(max_crashes=2, backoff_seconds=0.0)):
        for attempt in (1, 2):
            with house.agent(f"victim-{attempt}", KARGAH_LEASE_SECONDS="1") as agent:
                bench.trainer_pid(poison, attempt=attempt)
                agent.process.kill()
                bench.wait_status(poison, Status.PENDING, Status.ERROR)
        job = bench.wait_ended(poison)
        good = house.submit(steps=1)
        with house.agent("survivor"):
            assert bench.wait_ended(good).status is Status.COMPLETED
    assert job.status is Status.ERROR and bench.outcomes(poison) == ["lost"] * 2
    assert job.error is not None and job.error.code == "worker_lost"
    assert "victim-2" in job.error.message and "2 attempts" in job.error.message


def test_a_worker_without_a_folder_to_work_in_says_so_and_works_on(bench: AgentBench) -> None:
    """As on a disk that is full or read-only: there is no place even to begin."""
    work = bench.folder / "agent" / "work"
    work.parent.mkdir()
    work.touch()
    job_id = bench.submit(steps=1)
    with bench.agent():
        error = poll(lambda: next(iter(errors(bench, job_id)), None), "the error")
        work.unlink()
        job = bench.wait_ended(job_id)
    assert error["code"] == "io_error" and "work" in str(error["message"])
    assert job.status is Status.COMPLETED and bench.outcomes(job_id)[0] == "failed"


def errors(bench: AgentBench, job_id: str) -> list[dict[str, object]]:
    return [event.data["error"] for event in bench.jobs.events(job_id) if event.data.get("error")]
