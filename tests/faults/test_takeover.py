"""A worker dies, and with default settings its job trains on elsewhere: how long that takes, and what is done again."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime

from kargah.adapters.minio_store import MinioStore
from kargah.contracts.jobs import EventView
from kargah.domain.job_state import Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.jobstore import control_repository
from kargah.jobstore.values import RetryPolicy
from worker.testing.agent_bench import AgentBench
from worker.testing.agent_process import AgentHouse
from worker.testing.processes import poll, until
from worker.testing.real_jobs import real_jobs
from worker.zygote.entry import PRELOAD, TRAINER

from .conftest import sweeping

REAL = {"KARGAH_TRAINER_ENTRY": TRAINER, "KARGAH_ZYGOTE_PRELOAD": PRELOAD}
LIMIT = 20.0
SWEEP = 2.0  # the gateway's default
INTERVAL = 3.0  # between checkpoints by time; 60 s by default, which only makes the test longer


def first(bench: AgentBench, job_id: str, wanted: Callable[[EventView], bool], seconds: float) -> EventView:
    return poll(lambda: next((one for one in bench.jobs.events(job_id) if wanted(one)), None), "an event", seconds)


def is_claim(event: EventView, attempt: int) -> bool:
    return event.type == "status" and event.data.get("attempt") == attempt


def has_loss(event: EventView) -> bool:
    return any(point["name"] == "loss" for point in event.data.get("metrics", []))


def test_a_killed_workers_job_trains_on_elsewhere_within_twenty_seconds(
    bench: AgentBench,
    database_url_for: Callable[[str], str],
    object_store_server: EmbeddedObjectStore,
    object_store: MinioStore,
    record_property: Callable[[str, object], None],
) -> None:
    url = database_url_for("gateway")
    house = AgentHouse(bench, url, object_store_server, object_store.bucket, REAL)
    jobs = real_jobs(bench)
    with ExitStack() as agents:
        agents.enter_context(sweeping(url, seconds=SWEEP, policy=RetryPolicy()))
        workers = {name: agents.enter_context(house.agent(name)) for name in ("one", "other")}
        job_id = jobs.submit(epochs=10_000, checkpoint_seconds=INTERVAL)
        victim = poll(lambda: bench.get(job_id).worker, "a worker for it", 30.0)
        warm = jobs.submit(max_steps=10)
        until(lambda: bench.get(warm).status is Status.COMPLETED, "the heir's libraries", 90.0)
        until(lambda: len(bench.checkpoint_steps(job_id)) > 1, "two checkpoints", 60.0)
        workers[victim].process.kill()
        killed_at = datetime.now(UTC)
        last_step = max(bench.metric_steps(job_id))
        claim = first(bench, job_id, lambda event: is_claim(event, 2), 2 * LIMIT)
        step = first(bench, job_id, lambda event: event.number > claim.number and has_loss(event), 2 * LIMIT)
        bench.jobs.do(control_repository.request_stop, job_id)
        job = bench.wait_ended(job_id)
    resumed = int(next(event.data["step"] for event in bench.jobs.events(job_id) if event.type == "resumed"))
    saved = next(
        event for event in bench.jobs.events(job_id) if event.type == "checkpoint" and event.data["step"] == resumed
    )
    taken_over = (claim.at - killed_at).total_seconds()
    loading = (step.at - claim.at).total_seconds()
    lost = (killed_at - saved.at).total_seconds()
    for name, value in {"taken over after s": taken_over, "model load s": loading, "work lost s": lost}.items():
        record_property(name, round(value, 2))
    print(
        f"taken over after {taken_over:.1f} s, first step {loading:.1f} s later; {lost:.1f} s of work "
        f"lost ({last_step - resumed} steps)"
    )
    assert taken_over <= LIMIT
    assert lost <= INTERVAL + 6.0, "an interval, and the time to write and upload, on a slow machine too"
    assert job.status is Status.COMPLETED and bench.outcomes(job_id) == ["lost", "stopped"]
    steps = bench.metric_steps(job_id)
    assert steps == list(range(1, len(steps) + 1))
