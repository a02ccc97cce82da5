"""The doorbell's message on RabbitMQ, checked before dramatiq acts on any of it.

dramatiq trusts what it decodes: `options: 5` wedges a queue for good, an unknown queue name kills a worker
thread, and options such as `eta` or `max_retries` override the actor's. So the decoder lets exactly one shape in.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import dramatiq
from dramatiq.errors import DecodeError
from dramatiq.message import Message

from kargah.adapters.ring import is_job_id, is_kind

QUEUE_PREFIX = "kargah."
_MAX_BYTES = 1024
_FIELDS = {"queue_name", "actor_name", "args", "kwargs", "options", "message_id", "message_timestamp"}


def queue_of(kind: str) -> str:
    """The queue for one kind of job, `kargah.train`, which is also its actor's name. `ValueError` for no kind."""
    if not is_kind(kind):
        raise ValueError(f"not a kind of job: {kind!r}")
    return QUEUE_PREFIX + kind


def ring_message(job_id: str, kind: str) -> Message[None]:
    """The message that rings for `job_id`. `ValueError` when it is no job id."""
    if not is_job_id(job_id):
        raise ValueError(f"not a job id: {job_id!r}")
    queue = queue_of(kind)
    return Message(queue_name=queue, actor_name=queue, args=(job_id,), kwargs={}, options={})


class RingEncoder(dramatiq.JSONEncoder):  # type: ignore[misc]  # dramatiq is untyped here
    """JSON only, of one shape only. `rejected` is called for each message that is refused."""

    def __init__(self, queues: Collection[str], rejected: Callable[[], None]) -> None:
        self._queues = frozenset(queues)
        self._rejected = rejected

    def decode(self, data: bytes) -> dict[str, Any]:
        """The fields of a message. Raises `DecodeError`, upon which the consumer dead-letters it."""
        try:
            return self._checked(data)
        except (ValueError, RecursionError) as error:
            self._rejected()
            raise DecodeError(f"not a ring: {error}", b"", None) from None

    def _checked(self, data: bytes) -> dict[str, Any]:
        if len(data) > _MAX_BYTES:
            raise ValueError(f"{len(data)} bytes")
        fields = json.loads(data.decode("utf-8"))
        if not isinstance(fields, dict) or set(fields) != _FIELDS:
            raise ValueError("other fields than a message has")
        self._check_fields(fields)
        return fields

    def _check_fields(self, fields: dict[str, Any]) -> None:
        queue, arguments = fields["queue_name"], fields["args"]
        if not isinstance(queue, str) or queue not in self._queues or fields["actor_name"] != queue:
            raise ValueError("for another queue or actor")
        if fields["kwargs"] != {} or fields["options"] != {}:
            raise ValueError("options or keyword arguments, which rings never have")
        if not isinstance(arguments, list) or len(arguments) != 1 or not is_job_id(arguments[0]):
            raise ValueError("no job id")
        if not isinstance(fields["message_id"], str) or type(fields["message_timestamp"]) is not int:
            raise ValueError("no message id or timestamp")
