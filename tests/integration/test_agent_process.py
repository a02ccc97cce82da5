"""The agent as a process of its own: drained, killed, frozen; and what it tells about itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.domain.job_state import Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.jobstore import claim_repository, control_repository, recipe_repository, worker_repository
from kargah.jobstore.values import Claim
from worker.testing.agent_bench import AgentBench, agent_bench
from worker.testing.agent_process import AgentHouse
from worker.testing.processes import alive, poll, until

pytestmark = pytest.mark.campaign

SHORT = {"KARGAH_LEASE_SECONDS": "2", "KARGAH_HEARTBEAT_SECONDS": "0.2"}


@pytest.fixture
def house(
    database_url_for: Callable[[str], str],
    object_store_server: EmbeddedObjectStore,
    object_store: MinioStore,
    tmp_path: Path,
) -> Iterator[AgentHouse]:
    url = database_url_for("gateway")
    with agent_bench(url, object_store, tmp_path, os.environ) as bench:
        yield AgentHouse(bench, url, object_store_server, object_store.bucket, SHORT)


def test_sigterm_saves_gives_the_job_back_and_exits_with_0(house: AgentHouse) -> None:
    bench = house.bench
    job_id = bench.submit(steps=100_000, every=100_000, pace=0.05)
    with house.agent("one") as agent:
        pid = bench.trainer_pid(job_id)
        bench.wait(job_id, lambda job: (job.progress.step or 0) > 1, "some steps")
        agent.process.terminate()
        began = time.monotonic()
        assert agent.process.wait(15) == 0
        assert time.monotonic() - began < 10
    job = bench.get(job_id)
    assert job.status is Status.PENDING and bench.outcomes(job_id) == ["drained"]
    (saved,) = bench.checkpoint_steps(job_id)
    assert saved > 1 and not alive(pid)
    with house.agent("two"):
        bench.trainer_pid(job_id, attempt=2)
        bench.jobs.do(control_repository.request_stop, job_id)
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and bench.starts(job_id) == [0, saved]
    steps = bench.metric_steps(job_id)
    assert steps == list(range(1, len(steps) + 1))


def test_sigterm_with_a_deaf_trainer_still_gives_the_job_back(house: AgentHouse) -> None:
    bench = house.bench
    job_id = bench.submit(script="hang")
    with house.agent("one", KARGAH_GRACE_SECONDS="1.5") as agent:
        pid = bench.trainer_pid(job_id)
        agent.process.terminate()
        assert agent.process.wait(10) == 0
    assert bench.get(job_id).status is Status.PENDING and bench.outcomes(job_id) == ["drained"]
    assert not alive(pid)


def test_an_agent_for_one_job_ends_when_there_is_no_further_one(house: AgentHouse) -> None:
    job_id = house.bench.submit(steps=3)
    with house.agent("one", KARGAH_IDLE_SECONDS="1.5") as agent:
        assert agent.process.wait(30) == 0
    assert house.bench.get(job_id).status is Status.COMPLETED, "it ended before the job"


def test_an_idle_agent_ends_at_once(house: AgentHouse) -> None:
    with house.agent("one") as agent:
        agent.process.terminate()
        assert agent.process.wait(5) == 0


def test_an_agent_shows_itself_and_its_job(house: AgentHouse) -> None:
    bench = house.bench

    def shown() -> dict[str, str | None]:
        return {worker.name: worker.job_id for worker in bench.jobs.do(worker_repository.list_workers) if worker.alive}

    with house.agent("one") as agent:
        until(lambda: shown() == {"one": None}, "the idle worker's row")
        job_id = bench.submit(steps=100_000, every=100_000, pace=0.05)
        until(lambda: shown() == {"one": job_id}, "its job")
        agent.process.terminate()
        assert agent.process.wait(15) == 0
    assert shown() == {}


def test_a_killed_agents_job_goes_on_elsewhere(house: AgentHouse) -> None:
    bench = house.bench
    job_id = bench.submit(steps=40, every=4, pace=0.1)
    with house.agent("one") as agent:
        pid = bench.trainer_pid(job_id)
        until(lambda: bool(bench.checkpoint_steps(job_id)), "a checkpoint")
        agent.process.kill()
        until(lambda: not alive(pid), "the trainer's end")
        until(lambda: bool(bench.jobs.do(claim_repository.expire_leases)), "the lease's end")
    with house.agent("one"):
        job = bench.wait_ended(job_id)
        until(lambda: not list((bench.folder / "one" / "work").iterdir()), "the removal of both folders")
    assert job.status is Status.COMPLETED
    assert bench.starts(job_id)[1] > 0
    assert bench.metric_steps(job_id) == list(range(1, 41))


def test_a_frozen_agent_writes_nothing_once_it_thaws(house: AgentHouse) -> None:
    bench = house.bench
    job_id = bench.submit(steps=100_000, every=5, pace=0.02)
    with house.agent("frozen") as agent:
        pid = bench.trainer_pid(job_id)
        until(lambda: bool(bench.checkpoint_steps(job_id)), "a checkpoint")
        agent.process.send_signal(signal.SIGSTOP)
        poll(lambda: _take_over(bench), "the lease's end")
        before = bench.metric_steps(job_id), bench.checkpoint_steps(job_id), len(bench.jobs.events(job_id))
        agent.process.send_signal(signal.SIGCONT)
        until(lambda: not alive(pid), "the trainer's end", seconds=2.0)
        until(lambda: 'kargah_attempts_total{outcome="' in agent.metrics(), "the attempt's end")
        after = bench.metric_steps(job_id), bench.checkpoint_steps(job_id), len(bench.jobs.events(job_id))
    assert after == before
    assert bench.get(job_id).worker == "another"


def _take_over(bench: AgentBench) -> Claim | None:
    """Whatever ended the lease: this, or on a slow machine the agent itself, before it was frozen."""
    bench.jobs.do(claim_repository.expire_leases)
    return bench.jobs.do(claim_repository.claim, ["train"], "another", 60.0)


def test_metrics_of_a_job_are_there_while_it_runs_and_gone_after(house: AgentHouse) -> None:
    bench = house.bench
    job_id = bench.submit(steps=100_000, every=100_000, pace=0.02)
    with house.agent("one") as agent:
        until(lambda: f'kargah_job_loss{{job_id="{job_id}"}}' in agent.metrics(), "the job's loss")
        busy = agent.metrics()
        bench.jobs.do(control_repository.request_stop, job_id)
        bench.wait_ended(job_id)
        until(lambda: "kargah_worker_busy 0.0" in agent.metrics(), "idleness")
        idle = agent.metrics()
        assert agent.get("/healthz").status_code == 200 and agent.get("/else").status_code == 404
    assert "kargah_worker_busy 1.0" in busy and f'kargah_job_progress_percent{{job_id="{job_id}"}}' in busy
    assert f'kargah_job_tokens_per_second{{job_id="{job_id}"}} 100.0' in busy
    assert job_id not in idle and 'kargah_attempts_total{outcome="stopped"} 1.0' in idle
    assert 'kargah_trainer_start_seconds_count{way="forked"} 1.0' in idle


def test_recipes_are_published_at_start(house: AgentHouse) -> None:
    with house.agent("one"):
        recipes = poll(lambda: house.bench.jobs.do(recipe_repository.list_recipes) or None, "recipes")
    assert [recipe.name for recipe in recipes] == ["scripted"]


def test_no_secret_is_in_the_agents_log(house: AgentHouse) -> None:
    with house.agent("one") as agent:
        log = agent.log_path.read_text()
    assert "agent starts" in log
    assert house.s3.secret_key not in log and "only-for-tests" not in log


def test_not_ready_without_the_object_store(house: AgentHouse) -> None:
    with house.agent("one", ready=503, KARGAH_S3_BUCKET="absent-bucket") as agent:
        checks = agent.get("/readyz").json()["checks"]
    assert checks["database"] == "ok" and checks["store"] != "ok"
