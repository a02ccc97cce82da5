"""The agent on real Postgres, real S3 and real trainer processes: no run is lost, none is done by two."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.db.engine import Connection
from kargah.domain.job_state import Status
from kargah.jobstore import (
    attempt_repository,
    checkpoint_repository,
    claim_repository,
    control_repository,
)
from kargah.jobstore.values import Claim, RetryPolicy
from worker.agent import loop, peers
from worker.agent.ledger import lease_engine
from worker.agent.manifest import checkpoints_root
from worker.agent.outputs import log_key
from worker.testing.agent_bench import AT_ONCE, AgentBench, agent_bench
from worker.testing.processes import alive, poll, until
from worker.testing.slow_store import SlowStore
from worker.testing.tcp_proxy import proxy_to

SOON, LATER = RetryPolicy(backoff_seconds=3.0), RetryPolicy(backoff_seconds=3600.0)


@pytest.fixture
def bench(database_url_for: Callable[[str], str], object_store: MinioStore, tmp_path: Path) -> Iterator[AgentBench]:
    with agent_bench(database_url_for("gateway"), object_store, tmp_path, os.environ) as bench:
        yield bench


def test_a_job_is_trained_and_its_result_registered(bench: AgentBench) -> None:
    job_id = bench.submit(steps=5, every=2, pace=0.2)
    with bench.agent():
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED, job
    assert job.result is not None and job.result["model"] == "tuned"
    assert bench.metric_steps(job_id) == [1, 2, 3, 4, 5]
    (version,) = bench.peers.committed
    assert version.lineage["job_id"] == job_id and version.lineage["base_version_id"] == "mdv_base_1"
    assert {file.path for file in version.files} == {"config.json", "model.safetensors"}
    assert bench.checkpoint_steps(job_id) == [4, 2]
    assert "step 5 of generation 1" in bench.store.get(log_key(job_id)).decode()
    assert list((bench.folder / "agent" / "work").iterdir()) == []


def test_a_trainer_that_says_more_than_is_taken_in_at_once_is_heard_to_the_last_word(bench: AgentBench) -> None:
    job_id = bench.submit(steps=900, every=100_000)
    with bench.agent():
        assert bench.wait_ended(job_id).status is Status.COMPLETED
    assert bench.metric_steps(job_id) == list(range(1, 901))
    log = bench.store.get(log_key(job_id)).decode()
    assert [step for step in range(1, 901) if f"step {step} of generation 1" not in log] == []


def test_a_killed_trainer_is_resumed_from_its_last_checkpoint(bench: AgentBench) -> None:
    job_id = bench.submit(steps=8, every=2, die_at=5, die_after=1.0)
    with bench.agent(policy=AT_ONCE):
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and job.attempt == 2
    assert bench.starts(job_id) == [0, 4]
    assert bench.metric_steps(job_id) == list(range(1, 9))
    assert bench.outcomes(job_id) == ["failed", "finished"]
    errors = [event.data["error"] for event in bench.jobs.events(job_id) if event.data.get("error")]
    assert errors[0]["code"] == "trainer_crashed" and "SIGKILL" in errors[0]["message"]


def test_pause_saves_and_resume_goes_on_there(bench: AgentBench) -> None:
    job_id = bench.submit(steps=1000, every=1000, pace=0.05)
    with bench.agent():
        pid = bench.trainer_pid(job_id)
        bench.wait(job_id, lambda job: (job.progress.step or 0) > 1, "some steps")
        bench.jobs.do(control_repository.request_pause, job_id)
        bench.wait_status(job_id, Status.PAUSED)
        (saved,) = bench.checkpoint_steps(job_id)
        assert not alive(pid)
        bench.jobs.do(control_repository.request_resume, job_id)
        bench.trainer_pid(job_id, attempt=2)
        bench.jobs.do(control_repository.request_stop, job_id)
        job = bench.wait_ended(job_id)
    assert bench.starts(job_id) == [0, saved]
    assert job.status is Status.COMPLETED and bench.outcomes(job_id) == ["paused", "stopped"]
    steps = bench.metric_steps(job_id)
    assert steps == list(range(1, len(steps) + 1))


def test_checkpoint_now_is_served_and_kept(bench: AgentBench) -> None:
    job_id = bench.submit(steps=1000, every=10, pace=0.02)
    with bench.agent():
        bench.trainer_pid(job_id)
        bench.jobs.do(control_repository.request_checkpoint, job_id)

        def served() -> list[str] | None:
            listed = bench.jobs.do(checkpoint_repository.list_checkpoints, job_id)
            reasons = [checkpoint.reason for checkpoint in listed]
            return reasons if "requested" in reasons and len(reasons) > 2 else None

        poll(served, "a requested checkpoint beside newer ones")
        bench.jobs.do(control_repository.cancel, job_id)


def test_cancel_kills_the_trainer_within_a_second(bench: AgentBench) -> None:
    job_id = bench.submit(script="hang")
    with bench.agent():
        pid = bench.trainer_pid(job_id)
        bench.jobs.do(control_repository.cancel, job_id)
        until(lambda: not alive(pid), "the trainer's end", seconds=1.0)
        until(lambda: not list((bench.folder / "agent" / "work").iterdir()), "the folder's removal")
    assert bench.get(job_id).status is Status.CANCELLED
    assert bench.event_types(job_id)[-1] == "status"


def _taken_away(conn: Connection, job_id: str) -> Claim | None:
    """In one transaction: in between, the agent itself could claim the job anew."""
    attempt_repository.requeue(conn, job_id, 1, "taken away by the test")
    return claim_repository.claim(conn, ["train"], "another", 60.0)


def test_an_attempt_that_lost_its_job_is_killed_and_writes_nothing(bench: AgentBench) -> None:
    job_id = bench.submit(steps=100_000, every=5, pace=0.02)
    with bench.agent():
        pid = bench.trainer_pid(job_id)
        until(lambda: bool(bench.checkpoint_steps(job_id)), "a checkpoint")
        claim = bench.jobs.do(_taken_away, job_id)
        assert isinstance(claim, Claim) and claim.generation == 2
        before = bench.metric_steps(job_id)
        until(lambda: not alive(pid), "the trainer's end", seconds=5.0)
        until(lambda: not list((bench.folder / "agent" / "work").iterdir()), "the attempt's end")
        rows = set(bench.checkpoint_steps(job_id))
    assert bench.metric_steps(job_id) == before
    assert bench.get(job_id).attempt == 2 and bench.get(job_id).worker == "another"
    manifests = {stat.key for stat in bench.store.list(checkpoints_root(job_id)) if stat.key.endswith("manifest.json")}
    assert len(manifests) == len(rows)


@pytest.mark.campaign
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(bench: AgentBench) -> None:
    job_id = bench.submit(steps=12, every=4, pace=0.1, die_at=9, die_after=1.0)
    with bench.agent(policy=SOON):
        until(lambda: len(bench.checkpoint_steps(job_id)) == 2, "two checkpoints before the crash")
        newest, older = bench.jobs.do(attempt_repository.restorable, job_id)
        key = newest.prefix + "weights/model.safetensors"
        data = bytearray(bench.store.get(key))
        data[7] ^= 1
        bench.store.put(key, bytes(data))
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED
    assert bench.starts(job_id) == [0, older.step]
    (damaged,) = [event.data for event in bench.jobs.events(job_id) if event.type == "checkpoint_damaged"]
    assert damaged["file"] == "weights/model.safetensors" and damaged["step"] == newest.step
    assert bench.metric_steps(job_id) == list(range(1, 13))


@pytest.mark.campaign
def test_without_any_whole_checkpoint_it_starts_from_scratch(bench: AgentBench) -> None:
    job_id = bench.submit(steps=4, every=2, die_at=3, die_after=0.7)
    with bench.agent(policy=SOON):
        until(lambda: bool(bench.checkpoint_steps(job_id)), "a checkpoint before the crash")
        for stored in bench.jobs.do(attempt_repository.restorable, job_id):
            bench.store.delete(stored.prefix + "manifest.json")
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED and bench.starts(job_id) == [0, 0]


@pytest.mark.campaign
def test_a_trainer_that_always_crashes_ends_in_error_and_the_queue_goes_on(bench: AgentBench) -> None:
    broken, good = bench.submit(script="crash"), bench.submit(steps=1)
    with bench.agent(policy=AT_ONCE):
        bad = bench.wait_ended(broken)
        assert bench.wait_ended(good).status is Status.COMPLETED
    assert bad.status is Status.ERROR and bad.attempt == 3 and bad.error is not None
    assert bad.error.code == "trainer_crashed" and "the last words" in bad.error.message
    assert "the last words" in bench.store.get(log_key(broken)).decode()


def test_a_permanent_failure_is_not_tried_again(bench: AgentBench) -> None:
    job_id = bench.submit(script="fail")
    with bench.agent():
        job = bench.wait_ended(job_id)
    assert job.status is Status.ERROR and job.attempt == 1
    assert job.error is not None and job.error.code == "nan_loss" and job.error.hint == "lower it"


@pytest.mark.campaign
def test_a_silent_trainer_is_killed_at_its_phases_deadline(bench: AgentBench) -> None:
    job_id = bench.submit(script="hang")
    deadlines = {"preparing": 30.0, "training": 0.5, "evaluating": 30.0, "saving": 30.0}
    with bench.agent(deadlines=deadlines, policy=LATER):
        pid = bench.trainer_pid(job_id)
        job = bench.wait_status(job_id, Status.PENDING)
        assert not alive(pid)
        bench.jobs.do(control_repository.cancel, job_id)
    assert job.attempt == 1
    (error,) = [event.data["error"] for event in bench.jobs.events(job_id) if event.data.get("error")]
    assert error["code"] == "hung" and "training" in error["message"]


@pytest.mark.campaign
def test_services_that_are_away_for_a_moment_do_not_fail_a_job(bench: AgentBench) -> None:
    job_id = bench.submit(steps=1)
    bench.peers.failures = 3
    with bench.agent():
        assert bench.wait_ended(job_id).status is Status.COMPLETED
    assert bench.outcomes(job_id) == ["finished"]


@pytest.mark.campaign
def test_an_outage_gives_the_job_back_uncounted(bench: AgentBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_PAUSES", ())
    monkeypatch.setattr(loop, "_FIRST_BACK_OFF", 0.1)
    monkeypatch.setattr(loop, "_POLL_SECONDS", 0.1)
    job_id = bench.submit(steps=1)
    bench.peers.failures = 2
    with bench.agent():
        assert bench.wait_ended(job_id).status is Status.COMPLETED
    outcomes = bench.outcomes(job_id)
    assert outcomes[-1] == "finished" and set(outcomes[:-1]) == {"drained"}, "an outage is no crash of the job"


@pytest.mark.campaign
def test_a_result_is_kept_through_an_outage(bench: AgentBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_PAUSES", ())
    job_id = bench.submit(steps=20, pace=0.05, every=1000)
    with bench.agent():
        bench.trainer_pid(job_id)
        bench.peers.failures = 4
        assert bench.wait_ended(job_id).status is Status.COMPLETED
    assert bench.peers.failures == 0 and bench.outcomes(job_id) == ["finished"]


def test_a_folder_of_somebody_else_is_neither_read_nor_removed(bench: AgentBench, tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.mkdir()
    job_id = bench.submit(script="stray", directory=str(other))
    with bench.agent():
        job = bench.wait_ended(job_id)
    assert job.status is Status.ERROR and job.error is not None and job.error.code == "foreign_folder"
    assert other.exists()


def test_what_cannot_be_read_is_logged_and_the_run_goes_on(bench: AgentBench) -> None:
    job_id = bench.submit(script="garbage", steps=2)
    with bench.agent():
        assert bench.wait_ended(job_id).status is Status.COMPLETED
    log = bench.store.get(log_key(job_id)).decode()
    assert log.count("unreadable message") == 3


def test_installs_run_cold_and_with_the_network(bench: AgentBench) -> None:
    job_id = bench.submit(kind="install", script="report")
    with bench.agent(policy=LATER):
        poll(lambda: "report" in bench.event_types(job_id) or None, "the report")
        bench.wait_status(job_id, Status.PENDING, Status.ERROR)
        bench.jobs.do(control_repository.cancel, job_id)
    (report,) = [event.data for event in bench.jobs.events(job_id) if event.type == "report"]
    assert not any(entry.startswith("HF_HUB_OFFLINE") for entry in report["env"])
    assert report["parent"] == os.getpid(), "started by the agent, not by the zygote"


@pytest.mark.campaign
def test_a_database_out_of_reach_ends_the_trainer_before_the_lease(bench: AgentBench) -> None:
    parsed = urlsplit(bench.jobs.engine.url.render_as_string(hide_password=False))
    with proxy_to(parsed.hostname or "", parsed.port or 0) as proxy:
        netloc = f"{parsed.username}:{parsed.password}@127.0.0.1:{proxy.port}"
        engine = lease_engine(parsed._replace(netloc=netloc).geturl(), 4.0)
        job_id = bench.submit(steps=100_000, every=5, pace=0.05)
        with bench.agent(engine=engine, lease=4.0):
            pid = bench.trainer_pid(job_id)
            until(lambda: bool(bench.checkpoint_steps(job_id)), "a checkpoint")
            proxy.cut()
            cut_at = time.monotonic()
            until(lambda: not alive(pid), "the trainer's end", seconds=8.0)
            assert time.monotonic() - cut_at < 4.0, "dead before the lease has ended"
            until(lambda: bool(bench.jobs.do(claim_repository.expire_leases)), "the lease's end")
            proxy.heal()
            bench.trainer_pid(job_id, attempt=2)
            bench.jobs.do(control_repository.request_stop, job_id)
            job = bench.wait_ended(job_id)
        engine.dispose()
    assert job.status is Status.COMPLETED
    assert bench.starts(job_id)[1] > 0
    assert bench.outcomes(job_id) == ["lost", "stopped"]


def test_the_log_and_progress_flow_while_checkpoints_are_stored(bench: AgentBench) -> None:
    job_id = bench.submit(steps=30, every=3, pace=0.02)
    with bench.agent(store=SlowStore(bench.store, 0.2)):
        job = bench.wait_ended(job_id)
    assert job.status is Status.COMPLETED
    events = bench.jobs.events(job_id)
    first = next(event for event in events if event.type == "checkpoint")
    progress = [event for event in events if event.type == "progress" and event.number < first.number]
    assert progress, "reports came before the first checkpoint was stored"
    stored = bench.checkpoint_steps(job_id)
    assert stored[0] >= 27 and len(stored) <= 3
