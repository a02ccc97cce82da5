"""Which services an embedded stack runs, and how each is told about the others: the distributed mode's settings."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kargah.embedded.config import inherited_environment
from kargah.embedded.kept_secret import kept_secret
from kargah.embedded.ports import LOOPBACK, free_ports
from kargah.embedded.process import Command

DATABASE = "kargah"
BUCKET = "kargah"
OWNERS = ("gateway", "dataset_svc", "registry", "worker")
MIGRATED = ("gateway", "dataset-svc", "registry")
ROLE_OF = {"gateway": "gateway", "dataset-svc": "dataset_svc", "registry": "registry", "worker": "worker"}


@dataclass(frozen=True)
class Ports:
    """Where each process listens on loopback; only the gateway's is meant for people."""

    gateway: int
    dataset_svc: int
    registry: int
    worker: int
    inference: int
    more_workers: tuple[int, ...] = ()

    @classmethod
    def choose(cls, gateway: int, *, workers: int = 1) -> Ports:
        """Free ports beside the gateway's, which nobody has bound yet either."""
        others = [port for port in free_ports(4 + workers) if port != gateway]
        dataset_svc, registry, worker, inference, *more = others
        return cls(gateway, dataset_svc, registry, worker, inference, tuple(more[: workers - 1]))

    @property
    def workers(self) -> tuple[int, ...]:
        """Of every worker."""
        return (self.worker, *self.more_workers)


@dataclass(frozen=True)
class Endpoints:
    """What the services need to know of Postgres, S3 and the doorbell. `dsn_of(role)` carries that role's password.
    `access`: whether people must log in, and with what secret; `first_admin`: the file of that one's password."""

    dsn_of: Callable[[str], str]
    s3_url: str
    s3_access_key: str
    s3_secret_key: str
    bell: Mapping[str, str] = field(default_factory=lambda: {"KARGAH_BELL": "postgres"})
    access: Mapping[str, str] = field(default_factory=dict)
    first_admin: Path | None = None


@dataclass(frozen=True)
class Service:
    """One Python process of the stack. `port` answers `/readyz`."""

    name: str
    module: str
    port: int
    settings: Mapping[str, str]

    def command(self, data_dir: Path) -> Command:
        return Command(
            name=self.name,
            arguments=[sys.executable, "-m", self.module],
            log_file=data_dir / "logs" / f"{self.name}.log",
            cwd=data_dir,
            env=inherited_environment() | dict(self.settings),
        )


def services(data_dir: Path, ports: Ports, endpoints: Endpoints) -> list[Service]:
    """The processes in the order of their start."""
    store = {
        "KARGAH_S3_ENDPOINT": endpoints.s3_url,
        "KARGAH_S3_ACCESS_KEY": endpoints.s3_access_key,
        "KARGAH_S3_SECRET_KEY": endpoints.s3_secret_key,
        "KARGAH_S3_BUCKET": BUCKET,
    }
    shown = {"KARGAH_S3_ENDPOINT": endpoints.s3_url}  # the gateway tells where the store is, and has no key to it
    datasets = {"KARGAH_DATASETS_URL": _url(ports.dataset_svc)}
    peers = datasets | {
        "KARGAH_REGISTRY_URL": _url(ports.registry),
        "KARGAH_INFERENCE_URL": _url(ports.inference),
        "KARGAH_WORKER_URL": _url(ports.worker),
        "KARGAH_PUBLIC_URL": _url(ports.gateway),
    }
    common = {"KARGAH_HOST": LOOPBACK, **endpoints.bell, **endpoints.access}
    first = {"KARGAH_ADMIN_PASSWORD_FILE": str(endpoints.first_admin)} if endpoints.first_admin else {}

    def settings(name: str, port: int, *extra: Mapping[str, str]) -> dict[str, str]:
        own = {"KARGAH_PORT": str(port), "KARGAH_DATA_DIR": str(data_dir / name)}
        if name in ROLE_OF:
            own["KARGAH_DATABASE_URL"] = endpoints.dsn_of(ROLE_OF[name])
        return {**common, **own, **{key: value for part in extra for key, value in part.items()}}

    def worker(number: int, port: int) -> Service:
        """The machine's cores are shared out among its workers."""
        name = "worker" if number == 1 else f"worker-{number}"
        own = {"KARGAH_METRICS_PORT": str(port), "KARGAH_WORKER_NAME": name.replace("worker", "embedded")}
        if len(ports.workers) > 1:
            own["KARGAH_THREADS"] = str(max(1, (os.cpu_count() or 1) // len(ports.workers)))
        database = {"KARGAH_DATABASE_URL": endpoints.dsn_of(ROLE_OF["worker"])}
        return Service(name, "worker.agent.main", port, settings(name, port, database, store, peers, own))

    return [
        Service("registry", "registry.main", ports.registry, settings("registry", ports.registry, store, datasets)),
        Service(
            "dataset-svc", "dataset_svc.main", ports.dataset_svc, settings("dataset-svc", ports.dataset_svc, store)
        ),
        *(worker(number, port) for number, port in enumerate(ports.workers, start=1)),
        Service(
            "inference", "worker.inference.main", ports.inference, settings("inference", ports.inference, store, peers)
        ),
        Service("gateway", "gateway.main", ports.gateway, settings("gateway", ports.gateway, shown, peers, first)),
    ]


def migration(data_dir: Path, endpoints: Endpoints) -> Command:
    """The one-shot command that brings every owner's schema up to date."""
    urls = {name: endpoints.dsn_of(ROLE_OF[name]) for name in MIGRATED}
    return Command(
        name="migrate",
        arguments=[sys.executable, "-m", "kargah.db.migrate", *MIGRATED],
        log_file=data_dir / "logs" / "migrate.log",
        cwd=data_dir,
        env=inherited_environment() | {"KARGAH_DATABASE_URLS": json.dumps(urls)},
    )


def role_passwords(data_dir: Path) -> dict[str, str]:
    """Of each owner's login role: made once, kept in the data folder."""
    secrets = data_dir / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    return {owner: kept_secret(secrets / owner) for owner in OWNERS}


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"
