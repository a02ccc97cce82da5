"""`GET /api/status`: where everything is, which version, and whether it answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

import kargah
from gateway.config import GatewaySettings
from kargah.clients.service_http import service_client
from kargah.contracts.base import Wire
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Unavailable
from kargah.jobstore.stats_repository import queue_state
from kargah.jobstore.worker_repository import living_workers
from kargah.web.api import Api

_TIMEOUT = httpx.Timeout(2.0)


class StatusView(Wire):
    """`endpoints` by name; `services` says `ready`, `not ready` or `no answer` for each; `jobs` counts by status;
    `workers` says how many are `alive` and how many of these are `idle`."""

    version: str
    bell: str
    endpoints: dict[str, str]
    services: dict[str, str]
    jobs: dict[str, int]
    workers: dict[str, int]


class StatusReader:
    """Asks all services at the same time, at most two seconds each."""

    def __init__(self, engine: Engine, settings: GatewaySettings) -> None:
        self._engine = engine
        self._settings = settings
        self._peers = _peers(settings)
        self._client = service_client(*self._peers.values(), timeout=_TIMEOUT)

    def read(self) -> StatusView:
        with ThreadPoolExecutor(max_workers=len(self._peers)) as pool:
            answers = dict(zip(self._peers, pool.map(self._readiness, self._peers.values()), strict=True))
        jobs = self._jobs()
        return StatusView(
            version=kargah.__version__,
            bell=self._settings.bell,
            endpoints=_endpoints(self._settings),
            services={**answers, "database": "no answer" if jobs is None else "ready"},
            jobs=jobs or {},
            workers=self._workers(),
        )

    def close(self) -> None:
        self._client.close()

    def _readiness(self, url: str) -> str:
        try:
            answer = self._client.get(f"{url.rstrip('/')}/readyz")
        except httpx.TransportError:
            return "no answer"
        return "ready" if answer.is_success else "not ready"

    def _jobs(self) -> dict[str, int] | None:
        try:
            with UnitOfWork(self._engine) as tx:
                counts = queue_state(tx.connection).counts
        except Unavailable:
            return None
        totals: dict[str, int] = {}
        for (status, _kind), number in sorted(counts.items()):
            totals[status] = totals.get(status, 0) + number
        return totals

    def _workers(self) -> dict[str, int]:
        try:
            with UnitOfWork(self._engine) as tx:
                alive = living_workers(tx.connection)
        except Unavailable:
            return {}
        return {"alive": len(alive), "idle": sum(worker.job_id is None for worker in alive)}


def add_status_route(api: Api, reader: StatusReader) -> None:
    @api.get("/api/status", returns=StatusView, tags=["status"])
    def get_status() -> StatusView:
        """Endpoints, versions and health of the stack."""
        return reader.read()


def _peers(settings: GatewaySettings) -> dict[str, str]:
    return {
        "registry": settings.registry_url,
        "datasets": settings.datasets_url,
        "inference": settings.inference_url,
    }


def _endpoints(settings: GatewaySettings) -> dict[str, str]:
    """What people and programs use first (`api`, `openai`, `hub`, `studio`, `metrics`), then where each part is."""
    own = (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    doors = {"api": f"{own}/api", "openai": f"{own}/v1", "hub": f"{own}/hub", "studio": f"{own}/studio/"}
    optional = {"worker": settings.worker_url, "objectStore": settings.s3_endpoint}
    parts = {"gateway": own, **_peers(settings), **{name: url for name, url in optional.items() if url is not None}}
    metrics = {
        "metrics" if name == "gateway" else f"metrics-{name}": f"{url.rstrip('/')}/metrics"
        for name, url in parts.items()
        if name != "objectStore"
    }
    if settings.grafana_url is not None:
        doors["grafana"] = settings.grafana_url.rstrip("/")
    return {**doors, **metrics, **parts, "database": _without_password(settings.database_url)}


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme.partition('+')[0]}://{parts.hostname}:{parts.port or 5432}{parts.path}"
