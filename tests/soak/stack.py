"""The services of a campaign, whole or with one safeguard taken out, on servers that run already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kargah.embedded.ports import free_port, free_ports
from kargah.embedded.service_group import ServiceGroup
from kargah.embedded.topology import Ports, Service, services
from tests.soak.agents import Agent, AgentKeeper
from tests.soak.breakage import Breakage
from tests.soak.options import ROOT, Options
from tests.soak.proxy import FaultProxy
from tests.soak.servers import Servers


@dataclass
class Stack:
    """Everything that runs. `gateways` are base URLs; `gateway_amqp` their ways to the broker."""

    servers: Servers
    gateways: list[str]
    gateway_amqp: list[FaultProxy]
    group: ServiceGroup
    keeper: AgentKeeper

    @property
    def agents(self) -> list[Agent]:
        return list(self.keeper.agents)


@contextmanager
def running_services(servers: Servers, options: Options, breakage: Breakage) -> Iterator[Stack]:
    """Start services and agents; the agents are killed in the end, for nothing is left to be saved by then."""
    stack = _assemble(servers, options, breakage)
    with ExitStack() as cleanup:
        cleanup.callback(_keep_logs, servers.folder, options.keep_logs)
        cleanup.callback(stack.group.stop)
        stack.keeper.start()
        cleanup.callback(stack.keeper.stop)
        stack.group.start()
        yield stack


def _assemble(servers: Servers, options: Options, breakage: Breakage) -> Stack:
    ports = Ports.choose(free_port())
    known = {service.name: service for service in services(servers.folder, ports, servers.endpoints)}
    gateways, gateway_amqp = [], []
    for number, port in enumerate([ports.gateway, *free_ports(options.gateways - 1)], start=1):
        proxy, bell = servers.amqp()
        settings = bell | _patience() | {"KARGAH_PORT": str(port), "KARGAH_SWEEP_SECONDS": "0.3"}
        gateways.append(_changed(known["gateway"], f"gateway-{number}", breakage.gateway, settings, breakage, port))
        gateway_amqp.append(proxy)
    group = ServiceGroup(servers.folder, [known["registry"], known["dataset-svc"], *gateways])
    agents = [_agent(role, name, servers, options, breakage, known["worker"]) for role, name in servers.roles.items()]
    urls = [f"http://127.0.0.1:{service.port}" for service in gateways]
    return Stack(servers, urls, gateway_amqp, group, AgentKeeper(agents))


def _agent(role: str, name: str, servers: Servers, options: Options, breakage: Breakage, worker: Service) -> Agent:
    amqp, bell = servers.amqp()
    database, dsn = servers.database(role)
    folder = servers.folder / name
    settings = {
        **bell,
        **_patience(),
        "KARGAH_DATABASE_URL": dsn,
        "KARGAH_WORKER_NAME": name,
        "KARGAH_DATA_DIR": str(folder),
        "KARGAH_METRICS_PORT": "0",
        "KARGAH_KINDS": "train",
        "KARGAH_LEASE_SECONDS": str(options.lease_seconds),
        "KARGAH_THREADS": "1",
        "KARGAH_TRAINER_ENTRY": breakage.trainer,
    }
    folder.mkdir(exist_ok=True)
    command = _changed(worker, name, breakage.agent, settings, breakage, 0).command(servers.folder)
    return Agent(name, role, command, folder / "work", amqp, database)


def _changed(
    service: Service, name: str, module: str, settings: dict[str, str], breakage: Breakage, port: int
) -> Service:
    env = {**service.settings, **settings, "PYTHONPATH": _python_path(), "SOAK_BREAKAGE": breakage.name}
    return replace(service, name=name, module=module, port=port, settings=env)


def _patience() -> dict[str, str]:
    """A campaign's kills are no fault of the jobs, however many meet one."""
    return {"KARGAH_MAX_CRASHES": "1000000", "KARGAH_BACKOFF_SECONDS": "0"}


def _python_path() -> str:
    """The broken entry modules lie in the repository, the processes run elsewhere."""
    return os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))


def _keep_logs(folder: Path, target: Path | None) -> None:
    if target is None:
        return
    target.mkdir(parents=True, exist_ok=True)
    for log in [*folder.glob("logs/*.log"), *folder.glob("agent-*/zygote.log")]:
        name = log.name if log.parent.name == "logs" else f"{log.parent.name}-{log.name}"
        (target / name).write_bytes(log.read_bytes())
