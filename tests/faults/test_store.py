"""S3 that answers 500, dawdles, hangs or breaks off in the middle of a part: the old checkpoint stays current."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.domain.job_state import Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.jobstore import control_repository
from worker.agent import checkpoints
from worker.agent.manifest import checkpoint_prefix
from worker.testing.agent_bench import AgentBench
from worker.testing.agent_process import AgentHouse
from worker.testing.processes import alive, until
from worker.testing.store_proxy import FOR_EVER, Fault, StoreProxy, store_proxy
from worker.testing.tcp_proxy import proxy_to

MIB = 1 << 20
READS = frozenset({"GET", "HEAD"})
TRIES = 6  # the adapter's own, per request


@pytest.fixture
def proxy(object_store_server: EmbeddedObjectStore) -> Iterator[StoreProxy]:
    with store_proxy(object_store_server.url) as proxy:
        yield proxy


@pytest.fixture
def store(proxy: StoreProxy, object_store_server: EmbeddedObjectStore, object_store: MinioStore) -> MinioStore:
    """The bench's bucket, by way of the proxy."""
    server = object_store_server
    return MinioStore(proxy.url, server.access_key, server.secret_key, object_store.bucket)


def events(bench: AgentBench, job_id: str, name: str) -> list[dict[str, object]]:
    return [event.data for event in bench.jobs.events(job_id) if event.type == name]


@pytest.mark.parametrize("status", [500, 503])
def test_a_burst_of_errors_is_waited_out(bench: AgentBench, store: MinioStore, proxy: StoreProxy, status: int) -> None:
    proxy.inject(Fault(times=2, methods=READS, status=status))
    proxy.inject(Fault(times=3, path="/checkpoints/", status=status))
    job_id = bench.submit(steps=8, every=2, pace=0.2)
    with bench.agent(store=store):
        job = bench.wait_ended(job_id)
    assert proxy.struck == 5
    assert job.status is Status.COMPLETED and bench.outcomes(job_id) == ["finished"]
    assert events(bench, job_id, "checkpoint_failed") == []
    assert bench.checkpoint_steps(job_id)[0] == 8


def test_errors_without_end_are_tried_a_bounded_number_of_times_and_the_old_checkpoint_stays(
    bench: AgentBench, store: MinioStore, proxy: StoreProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "_PAUSES", ())
    job_id = bench.submit(steps=100_000, every=10, pace=0.05)
    with bench.agent(store=store):
        until(lambda: bench.checkpoint_steps(job_id) != [], "a checkpoint")
        proxy.inject(Fault(times=FOR_EVER, path="/checkpoints/", status=503))
        until(lambda: events(bench, job_id, "checkpoint_failed") != [], "the failure's event")
        current = bench.checkpoint_steps(job_id)[0]
        proxy.heal()
        failed = int(str(events(bench, job_id, "checkpoint_failed")[0]["step"]))
        until(lambda: bench.checkpoint_steps(job_id)[0] > failed, "the next checkpoint")
        bench.jobs.do(control_repository.request_stop, job_id)
        job = bench.wait_ended(job_id)
    torn = checkpoint_prefix(job_id, failed, 1)
    assert len([path for method, path in proxy.seen if method == "PUT" and torn in path]) == TRIES
    assert current < failed
    assert job.status is Status.COMPLETED and bench.outcomes(job_id) == ["stopped"]


def test_connections_reset_within_a_part_are_taken_up_again(
    bench: AgentBench, store: MinioStore, proxy: StoreProxy
) -> None:
    """Twenty MiB in two parts: sent past two resets, and fetched past two more when the next attempt resumes."""
    proxy.inject(Fault(times=2, methods={"PUT"}, path="partNumber=1", reset_after=5 * MIB))
    proxy.inject(Fault(times=2, methods={"GET"}, path="/weights/", reset_after=3 * MIB))
    job_id = bench.submit(steps=3, every=2, pace=0.1, weight_bytes=20 * MIB, die_at=3, die_after=6.0)
    with bench.agent(store=store):
        job = bench.wait_ended(job_id)
    assert proxy.struck == 4
    assert job.status is Status.COMPLETED and bench.starts(job_id) == [0, 2]
    assert events(bench, job_id, "checkpoint_damaged") == []


def test_a_slow_upload_holds_up_neither_cancel_nor_the_next_job(
    bench: AgentBench, store: MinioStore, proxy: StoreProxy
) -> None:
    job_id = bench.submit(steps=100_000, every=5, pace=0.02)
    with bench.agent(store=store):
        pid = bench.trainer_pid(job_id)
        proxy.inject(Fault(times=FOR_EVER, path=job_id, delay=3.0))
        until(lambda: proxy.struck > 0, "a slow upload")
        bench.jobs.do(control_repository.cancel, job_id)
        until(lambda: not alive(pid), "the trainer's end", seconds=2.5)
        following = bench.submit(steps=1)
        assert bench.wait_ended(following).status is Status.COMPLETED
    assert bench.get(job_id).status is Status.CANCELLED


def test_a_store_that_answers_nothing_cannot_hold_up_a_shutdown(
    house: AgentHouse, object_store_server: EmbeddedObjectStore
) -> None:
    bench = house.bench
    job_id = house.submit(steps=100_000, every=10, pace=0.02)
    with proxy_to("127.0.0.1", urlsplit(object_store_server.url).port or 0) as network:
        far = {"KARGAH_S3_ENDPOINT": f"http://127.0.0.1:{network.port}", "KARGAH_GRACE_SECONDS": "4"}
        with house.agent("one", **far) as agent:
            pid = bench.trainer_pid(job_id)
            until(lambda: bench.checkpoint_steps(job_id) != [], "a checkpoint")
            network.cut()
            saved = bench.checkpoint_steps(job_id)[0]
            began = time.monotonic()
            agent.process.terminate()
            assert agent.process.wait(25) == 0
            assert time.monotonic() - began < 20, "the grace and a moment, not the minutes that the store was given"
    assert not alive(pid)
    assert bench.get(job_id).status is Status.PENDING and bench.outcomes(job_id) == ["drained"]
    assert bench.checkpoint_steps(job_id)[0] == saved
