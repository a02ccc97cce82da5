"""The servers of a campaign, which outlive its services: Postgres, RabbitMQ and S3, and the faulty ways to them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.preparation import ensure_bucket, prepare
from kargah.embedded.topology import DATABASE, OWNERS, Endpoints
from kargah.testing.servers.folder import server_folder
from kargah.testing.servers.rabbitmq import RabbitMQServer
from tests.soak import audit
from tests.soak.hosts import Host
from tests.soak.options import Options
from tests.soak.proxy import FaultProxy, ProxyThread

_PASSWORD = "only-for-campaigns"
_STOP_SECONDS = 20.0


@dataclass(frozen=True)
class Servers:
    """`s3` is the way of all services to the object store; `roles` are the agents' logins, role -> worker's name."""

    folder: Path
    proxies: ProxyThread
    postgres: EmbeddedPostgres
    postgres_host: Host
    rabbitmq: RabbitMQServer
    rabbitmq_host: Host
    store: EmbeddedObjectStore
    s3: FaultProxy
    roles: Mapping[str, str]

    @property
    def database_url(self) -> str:
        """The superuser's, past all proxies."""
        return urlunsplit(urlsplit(self.postgres.superuser_dsn)._replace(path=f"/{DATABASE}"))

    @property
    def endpoints(self) -> Endpoints:
        url = f"http://127.0.0.1:{self.s3.port}"
        return Endpoints(self._dsn, url, self.store.access_key, self.store.secret_key)

    def amqp(self) -> tuple[FaultProxy, dict[str, str]]:
        """A way of its own to the broker, and the settings that lead there."""
        proxy = FaultProxy(self.proxies, _port_of(self.rabbitmq.amqp_url))
        return proxy, {"KARGAH_BELL": "amqp", "KARGAH_AMQP_URL": _through(self.rabbitmq.amqp_url, proxy)}

    def database(self, role: str) -> tuple[FaultProxy, str]:
        """A way of its own to the database for `role`, and the URL that leads there."""
        proxy = FaultProxy(self.proxies, self.postgres.port)
        return proxy, _through(self._dsn(role), proxy)

    def restart_postgres(self, how: str, away_seconds: float) -> None:
        """End it without a farewell (`kill`: SIGKILL, `immediate`: SIGQUIT), wait, start it on the same port."""
        self.postgres_host.run(lambda: self._restart_postgres(how, away_seconds))

    def restart_broker(self, how: str, away_seconds: float) -> None:
        """`kill` or `stop` it, wait, start it again with its durable queues."""
        self.rabbitmq_host.run(lambda: self._restart_broker(how, away_seconds))

    def _dsn(self, role: str) -> str:
        return self.postgres.dsn(DATABASE, role, _PASSWORD)

    def _restart_postgres(self, how: str, away_seconds: float) -> None:
        if how == "immediate":
            os.kill(self.postgres.pid, signal.SIGQUIT)
            deadline = time.monotonic() + _STOP_SECONDS
            while self.postgres.alive() and time.monotonic() < deadline:
                time.sleep(0.02)
        self.postgres.kill()
        time.sleep(away_seconds)
        self.postgres.start()

    def _restart_broker(self, how: str, away_seconds: float) -> None:
        end = self.rabbitmq.kill if how == "kill" else self.rabbitmq.stop
        end()
        time.sleep(away_seconds)
        self.rabbitmq.start()


@contextmanager
def running_servers(options: Options) -> Iterator[Servers]:
    """Start them, make schemas, roles and bucket, lay the audit; in the end they go with all their data."""
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(server_folder())
        proxies = ProxyThread()
        cleanup.callback(proxies.close)
        postgres, postgres_host = EmbeddedPostgres(folder, port=free_port()), _host(cleanup, "postgres")
        rabbitmq, rabbitmq_host = RabbitMQServer(folder), _host(cleanup, "rabbitmq")
        cleanup.callback(lambda: postgres_host.run(postgres.stop))
        cleanup.callback(lambda: rabbitmq_host.run(rabbitmq.kill))
        postgres_host.run(postgres.start)
        rabbitmq_host.run(rabbitmq.start)
        store = cleanup.enter_context(EmbeddedObjectStore(folder))
        ensure_bucket(store.client())
        s3 = FaultProxy(proxies, store.port)
        roles = {f"soak_agent_{number}": f"agent-{number}" for number in range(1, options.workers + 1)}
        servers = Servers(folder, proxies, postgres, postgres_host, rabbitmq, rabbitmq_host, store, s3, roles)
        prepare(folder, postgres, {owner: _PASSWORD for owner in OWNERS}, servers.endpoints)
        audit.install(servers.database_url, roles, _PASSWORD)
        yield servers


def _host(cleanup: ExitStack, name: str) -> Host:
    host = Host(name)
    cleanup.callback(host.close)
    return host


def _port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None, f"no port in {url}"
    return port


def _through(url: str, proxy: FaultProxy) -> str:
    """`url` by way of `proxy`."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{proxy.port}")))
