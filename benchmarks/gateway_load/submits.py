"""Durable submissions beside what they are made of: one INSERT that is committed, one message that is confirmed."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable

import pika
import psycopg

from benchmarks.gateway_load.together import Took, together
from benchmarks.report import Row
from kargah.db.engine import libpq_url
from kargah.testing.distributed import Distributed

_CALLERS = 8
_SUBMITS = 800
_BARE = 2000
_CONFIG = {"baseModel": "bench", "dataset": "bench", "outputModel": "out", "epochs": 1}
_BODY = json.dumps({"name": "load", "config": _CONFIG}).encode()


def rows(stack: Distributed) -> list[Row]:
    """Submissions, then the bare parts: the same callers, the same servers."""
    together(_CALLERS, _CALLERS * 5, lambda: _submitter(stack))
    with psycopg.connect(libpq_url(stack.dsn_of("gateway")), autocommit=True) as connection:
        connection.execute("CREATE TABLE bench_bare (id bigserial PRIMARY KEY, config jsonb NOT NULL)")
    ours = together(_CALLERS, _SUBMITS, lambda: _submitter(stack))
    insert = together(_CALLERS, _BARE, lambda: _inserter(stack))
    publish = together(_CALLERS, _BARE, lambda: _publisher(stack))
    both = together(_CALLERS, _BARE, lambda: _both(stack))
    note = f"{_CALLERS} callers; p50 {ours.median_ms:.1f}, p99 {ours.p99_ms:.1f} ms"
    return [
        _row("INSERT, then publish with confirm", ours, both, note),
        _row("INSERT and commit", ours, insert, f"its p99 {insert.p99_ms:.1f} ms"),
        _row("publish with confirm", ours, publish, f"its p99 {publish.p99_ms:.1f} ms"),
    ]


def _row(peer: str, ours: Took, theirs: Took, note: str) -> Row:
    ratio = ours.per_second / theirs.per_second
    return Row("gateway", "submits, durable", "1/s", ours.per_second, peer, theirs.per_second, ratio, None, note)


def _submitter(stack: Distributed) -> Callable[[], object]:
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports.gateway, timeout=60)
    headers = {"content-type": "application/json"}

    def submit() -> None:
        connection.request("POST", "/api/train/jobs", _BODY, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"{answer.status}: {text[:300]!r}")

    return submit


def _inserter(stack: Distributed) -> Callable[[], object]:
    connection = psycopg.connect(libpq_url(stack.dsn_of("gateway")), autocommit=True)
    body = _BODY.decode()
    return lambda: connection.execute("INSERT INTO bench_bare (config) VALUES (%s)", (body,))


def _publisher(stack: Distributed) -> Callable[[], object]:
    channel = pika.BlockingConnection(pika.URLParameters(stack.rabbitmq.amqp_url)).channel()
    channel.queue_declare("bench.bare", durable=True)
    channel.confirm_delivery()
    properties = pika.BasicProperties(delivery_mode=2)
    return lambda: channel.basic_publish("", "bench.bare", b"x" * 200, properties, mandatory=True)


def _both(stack: Distributed) -> Callable[[], object]:
    insert, publish = _inserter(stack), _publisher(stack)
    return lambda: (insert(), publish())
