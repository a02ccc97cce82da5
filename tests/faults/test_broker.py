"""RabbitMQ cut, killed, purged and fed with rubbish: a doorbell only, so nothing that runs or waits is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pika
import pytest

from kargah.adapters.amqp_bell import AmqpBell
from kargah.adapters.amqp_message import RingEncoder, ring_message
from kargah.domain.ids import new_id
from kargah.domain.job_state import Status
from kargah.embedded.ports import free_port
from kargah.embedded.readiness import is_ready
from kargah.jobstore import query_repository
from kargah.jobstore.values import JobFilter
from kargah.testing.servers.rabbitmq import RabbitMQServer
from worker.testing.agent_process import AgentHouse
from worker.testing.processes import until
from worker.testing.tcp_proxy import Proxy, proxy_to

from .conftest import Sweep

QUEUE = "kargah.train"
MALFORMED = "kargah_doorbell_malformed_total"
SOON = 8.0  # seconds: a sweep, an overdue ring, a worker's own look
RECONNECTING = {"dramatiq_restart_delay": "200"}  # milliseconds until an agent connects again, 3 s by default


def through(url: str, port: int) -> str:
    """The same URL by way of a proxy."""
    parsed = urlsplit(url)
    return parsed._replace(netloc=f"{parsed.username}:{parsed.password}@127.0.0.1:{port}").geturl()


def over(url: str) -> dict[str, str]:
    return {"KARGAH_BELL": "amqp", "KARGAH_AMQP_URL": url}


@contextmanager
def channel_to(server: RabbitMQServer) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
    with pika.BlockingConnection(pika.URLParameters(server.amqp_url)) as connection:
        yield connection.channel()


def listened(server: RabbitMQServer, queue: str = QUEUE) -> bool:
    """Whether someone consumes from the queue."""
    with channel_to(server) as channel:
        try:
            return bool(channel.queue_declare(queue, passive=True).method.consumer_count > 0)
        except pika.exceptions.ChannelClosedByBroker:
            return False


def waiting(server: RabbitMQServer, queue: str) -> int:
    with channel_to(server) as channel:
        return int(channel.queue_declare(queue, passive=True).method.message_count)


@pytest.fixture
def proxy(rabbitmq: RabbitMQServer) -> Iterator[Proxy]:
    """The network between agents and the broker; its queues are empty at first."""
    with channel_to(rabbitmq) as channel:
        for queue in (QUEUE, f"{QUEUE}.DQ", f"{QUEUE}.XQ", "kargah.install"):
            channel.queue_delete(queue)
    with proxy_to("127.0.0.1", urlsplit(rabbitmq.amqp_url).port or 0) as proxy:
        yield proxy


def test_connections_cut_in_a_loop_leave_a_running_job_alone(
    house: AgentHouse, rabbitmq: RabbitMQServer, proxy: Proxy
) -> None:
    bench = house.bench
    with house.agent("one", **over(through(rabbitmq.amqp_url, proxy.port)), **RECONNECTING):
        until(lambda: listened(rabbitmq), "a listener")
        job_id = bench.submit(steps=100, every=20, pace=0.03)
        bench.trainer_pid(job_id)
        cuts = 0
        while bench.get(job_id).finished_at is None:
            cuts += proxy.sever()
            time.sleep(0.05)
        job = bench.get(job_id)
        until(lambda: listened(rabbitmq), "a listener again")
        after = bench.submit(steps=1)
        assert bench.wait_ended(after).status is Status.COMPLETED
    assert cuts >= 5, "it came back and was cut again"
    assert job.status is Status.COMPLETED and bench.outcomes(job_id) == ["finished"]
    assert bench.metric_steps(job_id) == list(range(1, 101))


def test_a_broker_that_is_down_stops_nothing_and_what_was_queued_starts(
    house: AgentHouse, rabbitmq: RabbitMQServer, proxy: Proxy, sweep: Sweep
) -> None:
    bench, bell = house.bench, AmqpBell(rabbitmq.amqp_url)
    with house.agent("one", **over(rabbitmq.amqp_url), **RECONNECTING), sweep(bell):
        until(lambda: listened(rabbitmq), "a listener")
        running = bench.submit(steps=60, every=20, pace=0.03)
        bench.trainer_pid(running)
        rabbitmq.kill()
        queued = bench.submit(steps=1)
        assert bench.wait_ended(running).status is Status.COMPLETED
        assert bench.wait_ended(queued).status is Status.COMPLETED
        rabbitmq.start()
        until(lambda: listened(rabbitmq), "a listener again")
        assert bench.wait_ended(bench.submit(steps=1)).status is Status.COMPLETED
    bell.close()
    assert bench.outcomes(running) == ["finished"] and bench.metric_steps(running) == list(range(1, 61))


def test_a_job_whose_ring_was_purged_starts_all_the_same(
    house: AgentHouse, rabbitmq: RabbitMQServer, proxy: Proxy, sweep: Sweep
) -> None:
    bench, bell = house.bench, AmqpBell(rabbitmq.amqp_url)
    job_id = bench.submit(steps=1)
    bell.ring(job_id, "train")
    with channel_to(rabbitmq) as channel:
        assert channel.queue_purge(QUEUE).method.message_count == 1
    with house.agent("one", **over(rabbitmq.amqp_url)), sweep(bell):
        assert bench.wait_ended(job_id).status is Status.COMPLETED
    bell.close()


def test_doubled_shuffled_late_and_malformed_rings_do_nothing(
    house: AgentHouse, rabbitmq: RabbitMQServer, proxy: Proxy
) -> None:
    """Two agents, a bag of rings for jobs that wait, run and have ended, for jobs that never were, and rubbish."""
    bench = house.bench
    ended = bench.submit(steps=1)
    with house.agent("one", **over(rabbitmq.amqp_url)) as one, house.agent("two", **over(rabbitmq.amqp_url)) as two:
        assert bench.wait_ended(ended).status is Status.COMPLETED
        running = [bench.submit(steps=40, every=10, pace=0.03) for _ in range(2)]
        for job_id in running:
            bench.trainer_pid(job_id)
        queued = [bench.submit(steps=2) for _ in range(4)]
        rings = [
            RingEncoder([QUEUE], lambda: None).encode(ring_message(job, "train").asdict())
            for job in [ended, *running, *queued, new_id("job")]
        ] * 5
        rubbish = [b"", b"\xff\x00", b"[" * 900, b'{"options": 5}'] * 5
        bag = rings + rubbish
        random.Random(7).shuffle(bag)
        with channel_to(rabbitmq) as channel:
            for body in bag:
                channel.basic_publish("", QUEUE, body)
        jobs = [bench.wait_ended(job_id) for job_id in [*running, *queued]]
        until(lambda: waiting(rabbitmq, f"{QUEUE}.XQ") == len(rubbish), "the dead letters")
        counted = one.metric(MALFORMED) + two.metric(MALFORMED)
    assert counted == len(rubbish)
    assert {job.status for job in jobs} == {Status.COMPLETED} and {job.attempt for job in jobs} == {1}
    assert bench.get(ended).attempt == 1
    for job_id in running:
        assert bench.metric_steps(job_id) == list(range(1, 41))


@contextmanager
def gateway(house: AgentHouse, folder: Path, amqp_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The gateway as a process of its own, and its URL."""
    port = free_port()
    env = {
        **os.environ,
        "KARGAH_HOST": "127.0.0.1",
        "KARGAH_PORT": str(port),
        "KARGAH_DATABASE_URL": house.database_url,
        "KARGAH_DATA_DIR": str(folder / "gateway"),
        "KARGAH_REGISTRY_URL": house.bench.peers_url,
        "KARGAH_DATASETS_URL": house.bench.peers_url,
        "KARGAH_INFERENCE_URL": house.bench.peers_url,
        **over(amqp_url),
    }
    with (folder / "gateway.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.main"], env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        until(lambda: is_ready(port), "the gateway", 60.0)
        yield process, f"http://127.0.0.1:{port}"
    finally:
        kill_all(process)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to the process and what it forked, as when a machine goes."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def test_a_gateway_killed_between_commit_and_publish_loses_no_job(
    house: AgentHouse, rabbitmq: RabbitMQServer, proxy: Proxy, tmp_path: Path
) -> None:
    """The network holds the gateway's connection to the broker, which it makes once the job is committed; whoever asked
    does not wait for it."""
    bench, url = house.bench, through(rabbitmq.amqp_url, proxy.port)
    proxy.cut()
    with gateway(house, tmp_path, url) as (process, address):
        body = {"source": "package:none", "name": "made"}
        answer = httpx.post(f"{address}/api/installs", json=body, timeout=30, trust_env=False)
        assert answer.status_code == 201
        until(lambda: proxy.accepted > 0, "the ring")
        kill_all(process)
    (job,), _further = bench.jobs.do(query_repository.list_jobs, JobFilter(kind="install"))
    assert job.status is Status.PENDING
    proxy.heal()
    with gateway(house, tmp_path, url), house.agent("one", **over(url)):
        began = time.monotonic()
        bench.trainer_pid(job.id)
        assert time.monotonic() - began < SOON
        assert bench.wait_ended(job.id).status is Status.COMPLETED
    assert bench.outcomes(job.id) == ["finished"]
