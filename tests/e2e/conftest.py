"""Whole stacks of real processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.preparation import ensure_bucket, prepare
from kargah.embedded.service_group import ServiceGroup
from kargah.embedded.topology import DATABASE, OWNERS, Endpoints, Ports, services
from kargah.testing.servers.folder import server_folder
from kargah.testing.servers.rabbitmq import RabbitMQServer
from kargah.testing.servers.trace_receiver import TraceReceiver, trace_receiver


@dataclass(frozen=True)
class Distributed:
    """A stack of separate processes around RabbitMQ, Postgres and S3."""

    ports: Ports
    group: ServiceGroup
    rabbitmq: RabbitMQServer
    folder: Path
    database_url: str
    traces: TraceReceiver

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.gateway}"


@pytest.fixture(scope="module")
def distributed() -> Iterator[Distributed]:
    """The distributed mode: the doorbell is RabbitMQ, each service a process with its own settings; all of them log for
    machines and send traces."""
    with ExitStack() as stack:
        traces = stack.enter_context(trace_receiver())
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("KARGAH_TRACES_ENDPOINT", traces.url)
        environment.setenv("KARGAH_LOG_FORMAT", "json")
        folder = stack.enter_context(server_folder())
        rabbitmq = RabbitMQServer(folder)
        stack.callback(rabbitmq.stop)
        rabbitmq.start()
        postgres = stack.enter_context(EmbeddedPostgres(folder))
        store = stack.enter_context(EmbeddedObjectStore(folder))
        passwords = {owner: f"{owner}-only-for-tests" for owner in OWNERS}
        endpoints = Endpoints(
            lambda role: postgres.dsn(DATABASE, role, passwords[role]),
            store.url,
            store.access_key,
            store.secret_key,
            bell={"KARGAH_BELL": "amqp", "KARGAH_AMQP_URL": rabbitmq.amqp_url},
        )
        ensure_bucket(store.client())
        prepare(folder, postgres, passwords, endpoints)
        ports = Ports.choose(free_port())
        group = ServiceGroup(folder, services(folder, ports, endpoints))
        stack.callback(group.stop)
        group.start()
        yield Distributed(ports, group, rabbitmq, folder, endpoints.dsn_of("gateway"), traces)
