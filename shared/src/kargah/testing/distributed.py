"""The distributed mode on one machine: RabbitMQ, Postgres, S3, and each service a process with settings of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.preparation import ensure_bucket, prepare
from kargah.embedded.service_group import ServiceGroup
from kargah.embedded.topology import DATABASE, OWNERS, Endpoints, Ports, Service, services
from kargah.testing.servers.folder import server_folder
from kargah.testing.servers.rabbitmq import RabbitMQServer


@dataclass(frozen=True)
class Distributed:
    """A running stack; `dsn_of(role)` is how a service, called by its role, reaches the database."""

    ports: Ports
    group: ServiceGroup
    rabbitmq: RabbitMQServer
    folder: Path
    dsn_of: Callable[[str], str]

    @property
    def url(self) -> str:
        """The gateway's."""
        return f"http://127.0.0.1:{self.ports.gateway}"


@contextmanager
def distributed_stack(
    settings: Mapping[str, Mapping[str, str]] | None = None, without: frozenset[str] = frozenset()
) -> Iterator[Distributed]:
    """Started and ready until the block ends. `settings`: more environment, by service; `without`: services to leave
    out."""
    with ExitStack() as stack:
        folder = stack.enter_context(server_folder())
        rabbitmq = RabbitMQServer(folder)
        stack.callback(rabbitmq.kill)  # its folder goes with it
        rabbitmq.begin()
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
        rabbitmq.start()
        ports = Ports.choose(free_port())
        chosen = [each for each in services(folder, ports, endpoints) if each.name not in without]
        group = ServiceGroup(folder, [_with(each, (settings or {}).get(each.name, {})) for each in chosen])
        stack.callback(group.stop)
        group.start()
        yield Distributed(ports, group, rabbitmq, folder, endpoints.dsn_of)


def _with(service: Service, settings: Mapping[str, str]) -> Service:
    return replace(service, settings={**service.settings, **settings})
