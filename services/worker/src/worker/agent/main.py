"""`python -m worker.agent.main`: the worker's agent. Ends with 0 after SIGTERM or SIGINT, its job given back."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import FrameType
from typing import Any

from prometheus_client import CollectorRegistry

from kargah.adapters.bells import open_listener
from kargah.adapters.settings import BellSettings, S3Settings, open_store
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.queue_policy import MOST_DEVICES
from kargah.telemetry import traces
from kargah.telemetry.logging import configure_logging, get_logger
from kargah.telemetry.metrics import new_registry
from worker.agent.attempt import Tools
from worker.agent.child_env import install_env, trainer_env, zygote_env
from worker.agent.config import AgentSettings, inherited_environment
from worker.agent.drain import Drain
from worker.agent.group import Group
from worker.agent.health import HealthServer
from worker.agent.import_sources import ImportSources
from worker.agent.keeper import Pace
from worker.agent.launcher import Launcher
from worker.agent.ledger import PostgresLedger, lease_engine
from worker.agent.loop import AgentLoop
from worker.agent.metrics import AgentMetrics
from worker.agent.peers import Peers
from worker.agent.presence import Presence, ShownLedger, device_facts
from worker.agent.recipes import RecipePublisher
from worker.agent.work_folder import sweep
from worker.agent.zygote_client import ZygoteCommand
from worker.cache import trim_cache
from worker.gpus import GpuCollector
from worker.zygote.lifetime import hide_environment

_log = get_logger(__name__)
_GIB = 1 << 30


def main() -> int:
    """Run until told to end; the exit code."""
    settings = AgentSettings()
    configure_logging("worker", settings.log_format, settings.log_level)
    traces.start("worker", settings.traces_endpoint, settings.traces_sample, statements=False)
    hide_environment()
    drain = Drain(settings.grace_seconds)
    _on_signals(drain)
    with ExitStack() as cleanup:
        _build(settings, drain, cleanup).run()
        _log.info("ending")
    traces.stop()
    return 0


def _build(settings: AgentSettings, drain: Drain, cleanup: ExitStack) -> AgentLoop:
    work_root = settings.data_dir / "work"
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    _log.info("agent starts", worker=settings.worker_name, kinds=settings.kinds, folders_removed=sweep(work_root))
    engine = lease_engine(settings.database_url, settings.lease_seconds)
    cleanup.callback(engine.dispose)
    device = device_facts(settings.cpu_threads, devices=settings.devices)
    group = Group.of(settings, device["devices"])
    device |= {"nodes": settings.nodes, "devices": min(device["devices"] * settings.nodes, MOST_DEVICES)}
    ledger = PostgresLedger(
        engine, settings.worker_name, settings.kinds, settings.lease_seconds, settings.retry_policy, device["devices"]
    )
    registry = new_registry()
    GpuCollector(registry)
    metrics = AgentMetrics(registry)
    launcher = _launcher(settings, metrics)
    cleanup.callback(launcher.close)
    launcher.warm_up()
    store = open_store(S3Settings())
    _serve_health(settings, {"database": _database_check(engine), "store": store.check}, registry, cleanup)
    _publish_recipes(settings, ledger, cleanup)
    peers = Peers.connect(settings.registry_url, settings.datasets_url, settings.service_secret)
    cleanup.callback(peers.client.close)
    listener = open_listener(BellSettings(), settings.kinds, registry)
    cleanup.callback(listener.close)
    tools = Tools(
        ledger=ShownLedger(ledger, _show(device, ledger, cleanup)),
        store=store,
        peers=peers,
        launcher=launcher,
        metrics=metrics,
        drain=drain,
        pace=Pace(settings.lease_seconds, min(settings.heartbeat_seconds, settings.lease_seconds / 5)),
        deadlines=settings.deadlines,
        work_root=work_root,
        cache_dir=settings.cache_dir,
        threads=settings.cpu_threads,
        sources=ImportSources(settings.import_stores),
        group=group,
    )
    return AgentLoop(tools, listener, lambda: _trim(settings), settings.idle_seconds)


def _on_signals(drain: Drain) -> None:
    def begin(_number: int, _frame: FrameType | None) -> None:
        drain.begin()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, begin)


def _launcher(settings: AgentSettings, metrics: AgentMetrics) -> Launcher:
    parent, threads = inherited_environment(), settings.cpu_threads
    command = ZygoteCommand(
        env=zygote_env(parent, settings.cache_dir),
        log_path=settings.data_dir / "zygote.log",
        preload=settings.zygote_preload,
        entry=settings.trainer_entry,
    )
    return Launcher(
        zygote_command=command if settings.zygote else None,
        entry=settings.trainer_entry,
        train_env=trainer_env(parent, settings.cache_dir, threads),
        install_env=install_env(parent, settings.cache_dir, threads),
        metrics=metrics,
    )


def _serve_health(
    settings: AgentSettings,
    checks: Mapping[str, Callable[[], None]],
    registry: CollectorRegistry,
    cleanup: ExitStack,
) -> None:
    server = HealthServer(settings.host, settings.metrics_port, checks, registry)
    server.start()
    cleanup.callback(server.close)


def _publish_recipes(settings: AgentSettings, ledger: PostgresLedger, cleanup: ExitStack) -> None:
    env = trainer_env(inherited_environment(), settings.cache_dir, 1)
    publisher = RecipePublisher(ledger, settings.describe_module, env)
    publisher.start()
    cleanup.callback(publisher.close)


def _show(device: Mapping[str, Any], ledger: PostgresLedger, cleanup: ExitStack) -> Presence:
    presence = Presence(ledger, device)
    presence.start()
    cleanup.callback(presence.close)
    return presence


def _database_check(engine: Engine) -> Callable[[], None]:
    def check() -> None:
        with UnitOfWork(engine):  # a pooled connection is tried before it is handed out
            return

    return check


def _trim(settings: AgentSettings) -> None:
    removed = trim_cache(settings.cache_dir, int(settings.cache_gib * _GIB))
    if removed:
        _log.info("cache trimmed", blobs_removed=removed)


if __name__ == "__main__":
    raise SystemExit(main())
