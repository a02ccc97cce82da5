"""The doorbell over Postgres and over RabbitMQ: rings are heard, lost connections are got over, junk is refused."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pika
import psycopg
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from prometheus_client import CollectorRegistry

from kargah.adapters.amqp_bell import AmqpBell, AmqpBellListener
from kargah.adapters.bells import open_bell, open_listener
from kargah.adapters.postgres_bell import CHANNEL, PostgresBell, PostgresBellListener
from kargah.adapters.settings import BellSettings
from kargah.db.engine import create_engine
from kargah.db.listen import Listener
from kargah.domain.errors import Unavailable
from kargah.domain.ids import new_id
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.ports.doorbell import Doorbell, DoorbellListener
from kargah.testing.servers.rabbitmq import RabbitMQServer
from kargah.testing.waiting import wait_until

RING_SECONDS = 10.0


@dataclass
class House:
    """A bell, and listeners for it that are closed at the end."""

    bell: Doorbell
    listen: Callable[[list[str]], DoorbellListener]


@pytest.fixture(params=["postgres", "amqp"])
def house(request: pytest.FixtureRequest, database_url: str) -> Iterator[House]:
    settings = BellSettings(database_url=database_url)
    if request.param == "amqp":
        server: RabbitMQServer = request.getfixturevalue("rabbitmq")
        settings = BellSettings(database_url=database_url, bell="amqp", amqp_url=server.amqp_url)
        _purge(server)
    engine = create_engine(database_url)
    bell = open_bell(settings, engine)
    listeners: list[DoorbellListener] = []

    def listen(kinds: list[str]) -> DoorbellListener:
        listeners.append(open_listener(settings, kinds))
        return listeners[-1]

    yield House(bell, listen)
    for listener in listeners:
        listener.close()
    if isinstance(bell, AmqpBell):
        bell.close()
    engine.dispose()


@pytest.fixture
def no_queues(rabbitmq: RabbitMQServer) -> None:
    _purge(rabbitmq)


@pytest.fixture
def channel(rabbitmq: RabbitMQServer, no_queues: None) -> Iterator[BlockingChannel]:
    with pika.BlockingConnection(pika.URLParameters(rabbitmq.amqp_url)) as connection:
        yield connection.channel()


@pytest.fixture
def listener(rabbitmq: RabbitMQServer, no_queues: None) -> Iterator[AmqpBellListener]:
    registry = CollectorRegistry()
    listening = AmqpBellListener(rabbitmq.amqp_url, ["train", "install"], registry)
    yield listening
    listening.close()


@pytest.fixture
def bell(rabbitmq: RabbitMQServer) -> Iterator[AmqpBell]:
    ringing = AmqpBell(rabbitmq.amqp_url)
    yield ringing
    ringing.close()


def _purge(server: RabbitMQServer) -> None:
    with pika.BlockingConnection(pika.URLParameters(server.amqp_url)) as connection:
        for kind in ("train", "install"):
            for queue in (f"kargah.{kind}", f"kargah.{kind}.DQ", f"kargah.{kind}.XQ"):
                connection.channel().queue_delete(queue)


def _rings(bell: Doorbell, listener: DoorbellListener, kind: str = "train") -> bool:
    """Ring until it is heard: a listener may still be connecting."""
    deadline = time.monotonic() + RING_SECONDS
    while time.monotonic() < deadline:
        bell.ring(new_id("job"), kind)
        if listener.wait(0.5):
            return True
    return False


def test_a_ring_is_heard(house: House) -> None:
    listener = house.listen(["train"])
    assert _rings(house.bell, listener)


def test_silence_ends_at_the_timeout(house: House) -> None:
    listener = house.listen(["train"])
    assert _rings(house.bell, listener)
    while listener.wait(0.2):
        pass
    started = time.monotonic()
    assert listener.wait(0.3) is False
    assert 0.25 <= time.monotonic() - started < 5


def test_only_its_own_kinds_are_heard(house: House) -> None:
    listener = house.listen(["train"])
    assert _rings(house.bell, listener)
    while listener.wait(0.2):
        pass
    house.bell.ring(new_id("job"), "install")
    assert listener.wait(0.5) is False
    assert _rings(house.bell, listener)


def test_a_ring_wakes_a_waiter_at_once(house: House) -> None:
    listener = house.listen(["train", "install"])
    assert _rings(house.bell, listener, "install")
    while listener.wait(0.2):
        pass
    delays: list[float] = []
    for _ in range(5):
        timer = threading.Timer(0.1, house.bell.ring, (new_id("job"), "train"))
        started = time.monotonic()
        timer.start()
        assert listener.wait(RING_SECONDS)
        timer.join()
        delays.append(time.monotonic() - started - 0.1)
    assert min(delays) < 0.2


def test_close_ends_a_wait(house: House) -> None:
    listener = house.listen(["train"])
    timer = threading.Timer(0.2, listener.close)
    started = time.monotonic()
    timer.start()
    listener.wait(30)
    timer.join()
    assert time.monotonic() - started < 10


class TestPostgres:
    def test_it_hears_again_after_its_connection_was_cut(self, postgres: EmbeddedPostgres, database_url: str) -> None:
        listener = PostgresBellListener(database_url, ["train"])
        engine = create_engine(database_url)
        bell = PostgresBell(engine)
        assert _rings(bell, listener)
        with psycopg.connect(postgres.superuser_dsn, autocommit=True) as admin:
            cut = admin.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kargah-bell'"
            ).fetchone()
        assert cut is not None and cut[0] >= 1
        assert _rings(bell, listener)
        listener.close()
        engine.dispose()

    def test_junk_on_the_channel_is_counted(self, database_url: str) -> None:
        listener = PostgresBellListener(database_url, ["train"])
        with psycopg.connect(database_url, autocommit=True) as stranger:
            assert listener.wait(0.1) is False  # connects
            for junk in ("", "train", "train job_x", f"../x {new_id('job')}", f"train {new_id('job')} more"):
                stranger.execute("SELECT pg_notify(%s, %s)", [CHANNEL, junk])
            wait_until(lambda: listener.wait(0.05) or listener.malformed == 5)
        assert listener.malformed == 5
        listener.close()

    def test_closing_takes_no_time(self, database_url: str) -> None:
        delays: list[float] = []
        for _ in range(5):
            listener = Listener(database_url, ["any"])
            listener.connect()
            waiting = threading.Thread(target=listener.wait, args=(30,))
            waiting.start()
            time.sleep(0.05)  # as a rule it waits by then; whether or not, closing ends it
            started = time.monotonic()
            listener.close()
            delays.append(time.monotonic() - started)
            waiting.join()
            listener.close()
            assert listener.wait(30) == []
        assert min(delays) < 0.2

    def test_no_database_is_unavailable(self) -> None:
        url = f"postgresql://nobody:secret@127.0.0.1:{free_port()}/none"
        with pytest.raises(Unavailable):
            PostgresBell(create_engine(url)).ring(new_id("job"), "train")
        listener = PostgresBellListener(url, ["train"])
        assert listener.wait(0.3) is False
        listener.close()


def _message(**changes: Any) -> bytes:
    fields = {
        "queue_name": "kargah.train",
        "actor_name": "kargah.train",
        "args": [new_id("job")],
        "kwargs": {},
        "options": {},
        "message_id": "1",
        "message_timestamp": 1,
    }
    return json.dumps({**fields, **changes}).encode()


MALFORMED = {
    "not JSON": b"\x00\xff",
    "no object": b"[]",
    "deep": b"[" * 900,
    "options are a number": _message(options=5),
    "options": _message(options={"max_retries": 100}),
    "a delay": _message(options={"eta": 9e12}),
    "keyword arguments": _message(kwargs={"job_id": new_id("job")}),
    "no arguments": _message(args=[]),
    "arguments are text": _message(args=new_id("job")),
    "no job id": _message(args=["../../etc/passwd"]),
    "id of another thing": _message(args=[new_id("model")]),
    "unknown actor": _message(actor_name="other"),
    "unknown queue": _message(queue_name="other"),
    "unhashable queue": _message(queue_name=[]),
    "misplaced": _message(queue_name="kargah.install", actor_name="kargah.install"),
    "unknown field": _message(extra=1),
    "too long": _message(message_id="x" * 2000),
    "id is no text": _message(message_id=None),
}


def _has_refused(listener: AmqpBellListener, number: int) -> bool:
    return listener.malformed == number


def _count(channel: BlockingChannel, queue: str) -> int:
    declared = channel.queue_declare(queue, passive=True)
    return int(declared.method.message_count)


class TestAmqp:
    def test_malformed_messages_are_dead_lettered_counted_and_block_nothing(
        self, listener: AmqpBellListener, bell: AmqpBell, channel: BlockingChannel
    ) -> None:
        assert _rings(bell, listener)
        for number, (name, body) in enumerate(MALFORMED.items(), start=1):
            channel.basic_publish("", "kargah.train", body)
            wait_until(partial(_has_refused, listener, number))
            assert _rings(bell, listener), name
        wait_until(lambda: _count(channel, "kargah.train.XQ") == len(MALFORMED))
        assert _count(channel, "kargah.train") == 0

    def test_the_counter_is_exported_and_an_end_is_no_error(
        self, rabbitmq: RabbitMQServer, channel: BlockingChannel, caplog: pytest.LogCaptureFixture
    ) -> None:
        registry = CollectorRegistry()
        listening = AmqpBellListener(rabbitmq.amqp_url, ["train"], registry)
        wait_until(lambda: _exists(rabbitmq, "kargah.train"))
        channel.basic_publish("", "kargah.train", b"junk")
        wait_until(lambda: registry.get_sample_value("kargah_doorbell_malformed_total") == 1)
        caplog.clear()  # of the question whether the queue is there, asked too early
        listening.close()
        assert [record.message for record in caplog.records if record.name.startswith("pika")] == []

    def test_no_delivery_is_held(self, rabbitmq: RabbitMQServer, listener: AmqpBellListener, bell: AmqpBell) -> None:
        """Nobody calls `wait`, as while a job runs: the broker must not be left waiting for acknowledgements."""
        for _ in range(200):
            bell.ring(new_id("job"), "train")

        def all_acknowledged() -> bool:
            return _unacknowledged(rabbitmq, "kargah.train") == (0, 0)

        wait_until(all_acknowledged, timeout=15)
        assert listener.wait(0)

    @pytest.mark.campaign
    def test_a_broker_restart_is_got_over(
        self, rabbitmq: RabbitMQServer, listener: AmqpBellListener, bell: AmqpBell
    ) -> None:
        assert _rings(bell, listener)
        rabbitmq.restart()
        assert _rings_eventually(bell, listener)

    @pytest.mark.campaign
    def test_a_dead_broker_is_unavailable_and_the_loop_goes_on(
        self, rabbitmq: RabbitMQServer, listener: AmqpBellListener, bell: AmqpBell
    ) -> None:
        assert _rings(bell, listener)
        while listener.wait(0.2):
            pass
        rabbitmq.kill()
        with pytest.raises(Unavailable):
            bell.ring(new_id("job"), "train")
        assert listener.wait(0.2) is False
        rabbitmq.start()
        assert _rings_eventually(bell, listener)

    def test_a_ring_waits_for_a_listener_that_starts_later(self, rabbitmq: RabbitMQServer, bell: AmqpBell) -> None:
        _purge(rabbitmq)
        bell.ring(new_id("job"), "train")
        late = AmqpBellListener(rabbitmq.amqp_url, ["train"])
        assert late.wait(RING_SECONDS)
        late.close()

    @pytest.mark.parametrize(
        ("job_id", "kind"),
        [("5", "train"), (new_id("job"), "Train"), (new_id("job"), "a.b")],
        ids=["no job", "upper case", "dotted"],
    )
    def test_only_job_ids_are_rung(self, bell: AmqpBell, job_id: str, kind: str) -> None:
        with pytest.raises(ValueError, match="not a"):
            bell.ring(job_id, kind)


def _rings_eventually(bell: Doorbell, listener: DoorbellListener) -> bool:
    """Like `_rings`, but the bell may fail at first, as the reconciler expects."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            return _rings(bell, listener)
        except Unavailable:
            continue
    return False


def _exists(server: RabbitMQServer, queue: str) -> bool:
    with pika.BlockingConnection(pika.URLParameters(server.amqp_url)) as connection:
        try:
            connection.channel().queue_declare(queue, passive=True)
        except pika.exceptions.ChannelClosedByBroker:
            return False
        return True


def _unacknowledged(server: RabbitMQServer, queue: str) -> tuple[int, int]:
    """Messages ready and delivered without acknowledgement: a requeue of what is held shows in the ready count."""
    answer = httpx.get(f"{server.management_url}/api/queues/%2F/{queue}?disable_stats=false").json()
    return int(answer.get("messages_ready", -1)), int(answer.get("messages_unacknowledged", -1))
