"""The real servers and services of a campaign, each reached through a proxy where its network is to fail."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port, free_ports
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.preparation import ensure_bucket, prepare
from kargah.embedded.service_group import ServiceGroup
from kargah.embedded.topology import DATABASE, OWNERS, Endpoints, Ports, Service, services
from kargah.testing.servers.folder import server_folder
from kargah.testing.servers.rabbitmq import RabbitMQServer
from tests.soak import audit
from tests.soak.agents import Agent, AgentKeeper
from tests.soak.breakage import Breakage
from tests.soak.hosts import Host
from tests.soak.options import ROOT, Options
from tests.soak.proxy import FaultProxy, ProxyThread

_PASSWORD = "only-for-campaigns"
_STOP_SECONDS = 20.0


@dataclass
class Stack:
    """Everything that runs. `database_url` is the superuser's, past all proxies; `gateways` are base URLs."""

    folder: Path
    postgres: EmbeddedPostgres
    postgres_host: Host
    rabbitmq: RabbitMQServer
    rabbitmq_host: Host
    store: EmbeddedObjectStore
    s3: FaultProxy
    gateways: list[str]
    gateway_amqp: list[FaultProxy]
    group: ServiceGroup
    keeper: AgentKeeper

    @property
    def database_url(self) -> str:
        url = urlsplit(self.postgres.superuser_dsn)
        return urlunsplit(url._replace(path=f"/{DATABASE}"))

    @property
    def agents(self) -> list[Agent]:
        return list(self.keeper.agents)

    def restart_postgres(self, how: str, away_seconds: float) -> None:
        """End it without a farewell (`kill`: SIGKILL, `immediate`: SIGQUIT), wait, start it on the same port."""
        self.postgres_host.run(lambda: self._restart_postgres(how, away_seconds))

    def restart_broker(self, how: str, away_seconds: float) -> None:
        """`kill` or `stop` it, wait, start it again with its durable queues."""
        self.rabbitmq_host.run(lambda: self._restart_broker(how, away_seconds))

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
def running_stack(options: Options, breakage: Breakage) -> Iterator[Stack]:
    """Start everything, in some twenty seconds; end it with its data."""
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
        endpoints = _endpoints(postgres, store, s3.port)
        prepare(folder, postgres, {owner: _PASSWORD for owner in OWNERS}, endpoints)
        network = _Network(proxies, postgres, rabbitmq, endpoints)
        stack = _assemble(options, breakage, folder, network, store, s3, (postgres_host, rabbitmq_host))
        audit.install(stack.database_url, {agent.role: agent.name for agent in stack.agents}, _PASSWORD)
        cleanup.callback(stack.group.stop)
        stack.group.start()
        cleanup.callback(stack.keeper.stop)
        stack.keeper.start()
        try:
            yield stack
        finally:
            _keep_logs(folder, options.keep_logs)


@dataclass(frozen=True)
class _Network:
    """Makes a way of its own to a server for each process that is to be cut off from it."""

    thread: ProxyThread
    postgres: EmbeddedPostgres
    rabbitmq: RabbitMQServer
    endpoints: Endpoints

    def amqp(self) -> tuple[FaultProxy, dict[str, str]]:
        proxy = FaultProxy(self.thread, _port_of(self.rabbitmq.amqp_url))
        return proxy, {"KARGAH_BELL": "amqp", "KARGAH_AMQP_URL": _through(self.rabbitmq.amqp_url, proxy)}

    def database(self, role: str) -> tuple[FaultProxy, str]:
        proxy = FaultProxy(self.thread, self.postgres.port)
        return proxy, _through(self.postgres.dsn(DATABASE, role, _PASSWORD), proxy)


def _assemble(
    options: Options,
    breakage: Breakage,
    folder: Path,
    network: _Network,
    store: EmbeddedObjectStore,
    s3: FaultProxy,
    hosts: tuple[Host, Host],
) -> Stack:
    ports = Ports.choose(free_port())
    known = {service.name: service for service in services(folder, ports, network.endpoints)}
    gateways, gateway_amqp = [], []
    for number, port in enumerate([ports.gateway, *free_ports(options.gateways - 1)], start=1):
        proxy, bell = network.amqp()
        settings = bell | _patience(options) | {"KARGAH_PORT": str(port), "KARGAH_SWEEP_SECONDS": "0.3"}
        gateways.append(_changed(known["gateway"], f"gateway-{number}", breakage.gateway, settings, breakage, port))
        gateway_amqp.append(proxy)
    group = ServiceGroup(folder, [known["registry"], known["dataset-svc"], *gateways])
    agents = [_agent(number, options, breakage, folder, network, known["worker"]) for number in range(options.workers)]
    return Stack(
        folder,
        network.postgres,
        hosts[0],
        network.rabbitmq,
        hosts[1],
        store,
        s3,
        [f"http://127.0.0.1:{service.port}" for service in gateways],
        gateway_amqp,
        group,
        AgentKeeper(agents),
    )


def _agent(
    number: int, options: Options, breakage: Breakage, folder: Path, network: _Network, worker: Service
) -> Agent:
    name, role = f"agent-{number + 1}", f"soak_agent_{number + 1}"
    amqp, bell = network.amqp()
    database, dsn = network.database(role)
    settings = {
        **bell,
        **_patience(options),
        "KARGAH_DATABASE_URL": dsn,
        "KARGAH_WORKER_NAME": name,
        "KARGAH_DATA_DIR": str(folder / name),
        "KARGAH_METRICS_PORT": "0",
        "KARGAH_KINDS": "train",
        "KARGAH_LEASE_SECONDS": str(options.lease_seconds),
        "KARGAH_THREADS": "1",
        "KARGAH_TRAINER_ENTRY": breakage.trainer,
    }
    (folder / name).mkdir()
    command = _changed(worker, name, breakage.agent, settings, breakage, 0).command(folder)
    return Agent(name, role, command, folder / name / "work", amqp, database)


def _changed(
    service: Service, name: str, module: str, settings: dict[str, str], breakage: Breakage, port: int
) -> Service:
    env = {**service.settings, **settings, "PYTHONPATH": _python_path(), "SOAK_BREAKAGE": breakage.name}
    return replace(service, name=name, module=module, port=port, settings=env)


def _patience(options: Options) -> dict[str, str]:
    """A campaign's kills are no fault of the jobs, however many meet one."""
    return {"KARGAH_MAX_CRASHES": "1000000", "KARGAH_BACKOFF_SECONDS": "0"}


def _python_path() -> str:
    """The broken entry modules lie in the repository, the processes run elsewhere."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


def _endpoints(postgres: EmbeddedPostgres, store: EmbeddedObjectStore, s3_port: int) -> Endpoints:
    return Endpoints(
        lambda role: postgres.dsn(DATABASE, role, _PASSWORD),
        f"http://127.0.0.1:{s3_port}",
        store.access_key,
        store.secret_key,
    )


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


def _keep_logs(folder: Path, target: Path | None) -> None:
    if target is None:
        return
    target.mkdir(parents=True, exist_ok=True)
    for log in [*folder.glob("logs/*.log"), *folder.glob("agent-*/zygote.log")]:
        name = log.name if log.parent.name == "logs" else f"{log.parent.name}-{log.name}"
        (target / name).write_bytes(log.read_bytes())
