"""dramatiq's RabbitMQ broker, without its defaults: no middleware, so no retries, no time limit, no pipelines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pika
import pika.exceptions
from dramatiq.brokers.rabbitmq import RabbitmqBroker, _RabbitmqConsumer

_CONNECT_SECONDS = 5
_HEARTBEAT_SECONDS = 30


def open_broker(url: str, misplaced: Callable[[], None]) -> RabbitmqBroker:
    """A broker that connects on first use. `misplaced` is called for a message found in a queue not its own."""
    broker = _Broker(url, misplaced)
    broker.parameters = _parameters(url)
    return broker


class _Broker(RabbitmqBroker):  # type: ignore[misc]  # dramatiq is untyped here
    def __init__(self, url: str, misplaced: Callable[[], None]) -> None:
        # Confirms make a ring that RabbitMQ did not take an error; dramatiq's default is to hope.
        super().__init__(url=url, confirm_delivery=True, middleware=[])
        self.misplaced = misplaced

    @property
    def consumer_class(self) -> type[_RabbitmqConsumer]:
        return _Consumer

    def close(self) -> None:
        """Connections that only declared a queue are long dead then: nobody sends their heartbeats."""
        with _pika_silenced():
            super().close()


class _Consumer(_RabbitmqConsumer):  # type: ignore[misc]
    """Refuses messages that name another queue: dramatiq would acknowledge them there, and hold them here."""

    def __next__(self) -> Any:
        message = super().__next__()
        if message is not None and message.queue_name != self.queue_name:
            self.broker.misplaced()
            self.nack(message)
            return None
        return message

    def close(self) -> None:
        """dramatiq gives up on closing the connection when its channel is closed already, which leaks it."""
        try:
            super().close()
        finally:
            if self.connection.is_open:
                with suppress(pika.exceptions.AMQPError):
                    self.connection.close()


@contextmanager
def _pika_silenced() -> Iterator[None]:
    """pika logs an error, or three, for each connection that is found dead while it is closed."""
    logger = logging.getLogger("pika")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _parameters(url: str) -> pika.URLParameters:
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = _CONNECT_SECONDS
    parameters.stack_timeout = 2 * _CONNECT_SECONDS
    parameters.blocked_connection_timeout = _CONNECT_SECONDS
    parameters.heartbeat = _HEARTBEAT_SECONDS
    return parameters
