"""The agent as a process of its own: drained, killed, frozen; and what it tells about itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.domain.job_state import Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.jobstore import claim_repository, control_repository, recipe_repository, worker_repository
from worker.testing.agent_bench import AgentBench, agent_bench
from worker.testing.processes import ENTRY, PRELOAD, alive, poll, until

LEASE = 2.0


@dataclass
class AgentProcess:
    """One `python -m worker.agent.main`; its log is in `log_path`."""

    process: subprocess.Popen[bytes]
    port: int
    log_path: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False)

    def wait_ready(self, status: int) -> None:
        def ready() -> bool:
            assert self.process.poll() is None, self.log_path.read_text()
            try:
                return self.get("/readyz").status_code == status
            except httpx.TransportError:
                return False

        until(ready, "readiness")

    def metrics(self) -> str:
        return self.get("/metrics").text


@dataclass
class Machine:
    """Starts agent processes on one bench."""

    bench: AgentBench
    database_url: str
    s3: EmbeddedObjectStore
    bucket: str

    @contextmanager
    def agent(self, name: str, ready: int = 200, **settings: str) -> Iterator[AgentProcess]:
        port = free_port()
        log_path = self.bench.folder / f"{name}.log"
        env = {**os.environ, **self._settings(name, port), **settings}
        with log_path.open("wb") as log:
            command = [sys.executable, "-m", "worker.agent.main"]
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=self.bench.folder)
        agent = AgentProcess(process, port, log_path)
        try:
            agent.wait_ready(ready)
            yield agent
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def _settings(self, name: str, port: int) -> dict[str, str]:
        return {
            "KARGAH_DATABASE_URL": self.database_url,
            "KARGAH_S3_ENDPOINT": self.s3.url,
            "KARGAH_S3_ACCESS_KEY": self.s3.access_key,
            "KARGAH_S3_SECRET_KEY": self.s3.secret_key,
            "KARGAH_S3_BUCKET": self.bucket,
            "KARGAH_REGISTRY_URL": self.bench.peers_url,
            "KARGAH_DATASETS_URL": self.bench.peers_url,
            "KARGAH_DATA_DIR": str(self.bench.folder / name),
            "KARGAH_WORKER_NAME": name,
            "KARGAH_METRICS_PORT": str(port),
            "KARGAH_LEASE_SECONDS": str(LEASE),
            "KARGAH_HEARTBEAT_SECONDS": "0.2",
            "KARGAH_TRAINER_ENTRY": ENTRY,
            "KARGAH_ZYGOTE_PRELOAD": PRELOAD,
            "KARGAH_DESCRIBE_MODULE": "worker.testing.describe",
            "KARGAH_LOG_FORMAT": "json",
        }


@pytest.fixture
def machine(
    database_url_for: Callable[[str], str],
    object_store_server: EmbeddedObjectStore,
    object_store: MinioStore,
    tmp_path: Path,
) -> Iterator[Machine]:
    url = database_url_for("gateway")
    with agent_bench(url, object_store, tmp_path, os.environ) as bench:
        yield Machine(bench, url, object_store_server, object_store.bucket)


def test_sigterm_saves_gives_the_job_back_and_exits_with_0(machine: Machine) -> None:
    bench = machine.bench
    job_id = bench.submit(steps=100_000, every=100_000, pace=0.05)
    with machine.agent("one") as agent:
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
    with machine.agent("two"):
        bench.trainer_pid(job_id, attempt=2)
        bench.jobs.do(control_repository.request_stop, job_id)
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and bench.starts(job_id) == [0, saved]
    steps = bench.metric_steps(job_id)
    assert steps == list(range(1, len(steps) + 1))


def test_sigterm_with_a_deaf_trainer_still_gives_the_job_back(machine: Machine) -> None:
    bench = machine.bench
    job_id = bench.submit(script="hang")
    with machine.agent("one", KARGAH_GRACE_SECONDS="1.5") as agent:
        pid = bench.trainer_pid(job_id)
        agent.process.terminate()
        assert agent.process.wait(10) == 0
    assert bench.get(job_id).status is Status.PENDING and bench.outcomes(job_id) == ["drained"]
    assert not alive(pid)


def test_an_idle_agent_ends_at_once(machine: Machine) -> None:
    with machine.agent("one") as agent:
        agent.process.terminate()
        assert agent.process.wait(5) == 0


def test_an_agent_shows_itself_and_its_job(machine: Machine) -> None:
    bench = machine.bench

    def shown() -> dict[str, str | None]:
        return {worker.name: worker.job_id for worker in bench.jobs.do(worker_repository.list_workers) if worker.alive}

    with machine.agent("one") as agent:
        until(lambda: shown() == {"one": None}, "the idle worker's row")
        job_id = bench.submit(steps=100_000, every=100_000, pace=0.05)
        until(lambda: shown() == {"one": job_id}, "its job")
        agent.process.terminate()
        assert agent.process.wait(15) == 0
    assert shown() == {}


def test_a_killed_agents_job_goes_on_elsewhere(machine: Machine) -> None:
    bench = machine.bench
    job_id = bench.submit(steps=40, every=4, pace=0.1)
    with machine.agent("one") as agent:
        pid = bench.trainer_pid(job_id)
        until(lambda: bool(bench.checkpoint_steps(job_id)), "a checkpoint")
        agent.process.kill()
        until(lambda: not alive(pid), "the trainer's end")
        until(lambda: bool(bench.jobs.do(claim_repository.expire_leases)), "the lease's end")
    with machine.agent("one"):
        job = bench.wait_ended(job_id)
        until(lambda: not list((bench.folder / "one" / "work").iterdir()), "the removal of both folders")
    assert job.status is Status.COMPLETED
    assert bench.starts(job_id)[1] > 0
    assert bench.metric_steps(job_id) == list(range(1, 41))


def test_a_frozen_agent_writes_nothing_once_it_thaws(machine: Machine) -> None:
    bench = machine.bench
    job_id = bench.submit(steps=100_000, every=5, pace=0.02)
    with machine.agent("frozen") as agent:
        pid = bench.trainer_pid(job_id)
        until(lambda: bool(bench.checkpoint_steps(job_id)), "a checkpoint")
        agent.process.send_signal(signal.SIGSTOP)
        until(lambda: bool(bench.jobs.do(claim_repository.expire_leases)), "the lease's end")
        claim = bench.jobs.do(claim_repository.claim, ["train"], "another", 60.0)
        assert claim is not None
        before = bench.metric_steps(job_id), bench.checkpoint_steps(job_id), len(bench.jobs.events(job_id))
        agent.process.send_signal(signal.SIGCONT)
        until(lambda: not alive(pid), "the trainer's end", seconds=2.0)
        until(lambda: 'kargah_attempts_total{outcome="' in agent.metrics(), "the attempt's end")
        after = bench.metric_steps(job_id), bench.checkpoint_steps(job_id), len(bench.jobs.events(job_id))
    assert after == before
    assert bench.get(job_id).worker == "another"


def test_metrics_of_a_job_are_there_while_it_runs_and_gone_after(machine: Machine) -> None:
    bench = machine.bench
    job_id = bench.submit(steps=100_000, every=100_000, pace=0.02)
    with machine.agent("one") as agent:
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


def test_recipes_are_published_at_start(machine: Machine) -> None:
    with machine.agent("one"):
        recipes = poll(lambda: machine.bench.jobs.do(recipe_repository.list_recipes) or None, "recipes")
    assert [recipe.name for recipe in recipes] == ["scripted"]


def test_no_secret_is_in_the_agents_log(machine: Machine) -> None:
    with machine.agent("one") as agent:
        log = agent.log_path.read_text()
    assert "agent starts" in log
    assert machine.s3.secret_key not in log and "only-for-tests" not in log


def test_not_ready_without_the_object_store(machine: Machine) -> None:
    with machine.agent("one", ready=503, KARGAH_S3_BUCKET="absent-bucket") as agent:
        checks = agent.get("/readyz").json()["checks"]
    assert checks["database"] == "ok" and checks["store"] != "ok"
