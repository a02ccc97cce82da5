"""The doorbell over RabbitMQ, through dramatiq: one durable queue per kind of job, messages of a job id only.

A ring is acknowledged as soon as it is heard, so no delivery is ever held while a training runs. Malformed messages
go to dramatiq's dead-letter queue (`kargah.train.XQ`) and are counted.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import dramatiq
import pika.exceptions
from dramatiq.errors import BrokerError
from prometheus_client import CollectorRegistry, Counter

from kargah.adapters.amqp_broker import open_broker
from kargah.adapters.amqp_message import RingEncoder, queue_of, ring_message
from kargah.domain.errors import Unavailable
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
_RING_SECONDS = 10.0
_STOP_MILLISECONDS = 5000
_IDLE_MILLISECONDS = 250  # how soon its threads notice that they should end


class AmqpBell:
    """Rings over one connection, kept by a thread of its own: request threads come and go."""

    def __init__(self, url: str) -> None:
        self._broker = open_broker(url, misplaced=_ignore)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kargah-bell")

    def ring(self, job_id: str, kind: str) -> None:
        """Return once RabbitMQ has confirmed it. Raises `Unavailable` when that takes over 10 s or fails."""
        publishing = self._thread.submit(self._broker.enqueue, ring_message(job_id, kind))
        try:
            publishing.result(timeout=_RING_SECONDS)
        except (BrokerError, pika.exceptions.AMQPError, OSError, FutureTimeout) as error:
            publishing.cancel()
            raise Unavailable("The message broker does not answer.", hint="Try again in a moment.") from error

    def close(self) -> None:
        """Close the connection, in the thread that owns it."""
        self._thread.submit(self._broker.close)
        self._thread.shutdown(wait=True)


class AmqpBellListener:
    """Hears rings of `kinds` from background threads that reconnect by themselves. At most one per process.

    `registry` takes the counter of refused messages, `kargah_doorbell_malformed_total`.
    """

    def __init__(self, url: str, kinds: Collection[str], registry: CollectorRegistry | None = None) -> None:
        self._rang = threading.Event()
        self._malformed = Counter(
            "kargah_doorbell_malformed_total", "Doorbell messages refused and dead-lettered.", registry=registry
        )
        self.malformed = 0
        queues = [queue_of(kind) for kind in kinds]
        dramatiq.set_encoder(RingEncoder(queues, self._count_malformed))
        self._broker = open_broker(url, misplaced=self._count_malformed)
        for queue in queues:
            dramatiq.actor(self._hear, actor_name=queue, queue_name=queue, broker=self._broker)
        self._worker = dramatiq.Worker(
            self._broker, queues=set(queues), worker_threads=1, worker_timeout=_IDLE_MILLISECONDS
        )
        self._worker.queue_prefetch = 1
        self._worker.start()

    def wait(self, timeout: float) -> bool:
        """Block until a ring or until `timeout` seconds have passed; whether it rang since the last call."""
        rang = self._rang.wait(timeout)
        self._rang.clear()
        return rang

    def close(self) -> None:
        """Stop listening; returns within a few seconds."""
        self._worker.stop(timeout=_STOP_MILLISECONDS)
        self._broker.close()
        self._rang.set()

    def _hear(self, job_id: str) -> None:
        _log.debug("rang", job_id=job_id)
        self._rang.set()

    def _count_malformed(self) -> None:
        self.malformed += 1
        self._malformed.inc()


def _ignore() -> None:
    """The ringing side consumes nothing."""
