"""The registry, wired."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from flask import Flask

from kargah import __version__
from kargah.access.service_auth import ServiceAuth
from kargah.adapters.settings import open_store
from kargah.db.engine import Engine, create_engine
from kargah.db.storage_quota import StorageQuota
from kargah.ports.object_store import MultipartStore
from kargah.telemetry.metrics import new_registry
from kargah.web.api import Api
from kargah.web.app import create_app
from kargah.web.storage_routes import add_storage_routes
from registry.blobs.repository import check
from registry.blobs.routes import blob_routes
from registry.blobs.service import BlobService
from registry.blobs.tables import storage_limits
from registry.checkpoints.routes import checkpoint_routes
from registry.config import RegistrySettings
from registry.hub.app import ENVELOPES, hub_routes
from registry.labels.routes import label_routes
from registry.labels.service import LabelService
from registry.lineage.routes import lineage_routes
from registry.lineage.service import LineageService
from registry.mirror.app import open_mirror
from registry.mirror.routes import mirror_routes
from registry.models.routes import model_routes
from registry.models.service import ModelService
from registry.models.volume import volume_collector
from registry.storage_repository import used_bytes
from registry.sweeper import abort_strays, start_sweeper
from registry.uploaded.peer import DatasetPeer
from registry.uploaded.service import UploadedDatasets
from registry.upstream.routes import upstream_routes
from registry.upstream.service import UpstreamService

if TYPE_CHECKING:
    from registry.upstream.client import UpstreamClient


@dataclass(frozen=True, slots=True)
class Registry:
    """The parts that outlive a request. `sweeps` are to be called now and then, `close` at the end of a test."""

    app: Flask
    blobs: BlobService
    settings: RegistrySettings
    sweeps: Sequence[Callable[[], object]]
    close: Callable[[], None]


def build(settings: RegistrySettings, engine: Engine, store: MultipartStore) -> Registry:
    """The app on this database and this store."""
    quota = open_quota(settings)
    blobs = BlobService(engine, store, settings.blob_grace, quota)
    models = ModelService(engine, store, blobs)
    api = Api("registry", __version__)
    blob_routes(api, blobs, settings.blob_bytes)
    add_storage_routes(api, engine, quota, "models")
    model_routes(api, models, store)
    label_routes(api, LabelService(engine))
    lineage_routes(api, LineageService(engine))
    upstream_routes(api, _upstream(settings))
    checkpoint_routes(api, store)
    auth = ServiceAuth(settings.service_secret, "registry")
    peer = DatasetPeer(settings.datasets_url, auth) if settings.datasets_url is not None else None
    uploaded = UploadedDatasets(engine, peer, store.bucket)
    mirroring = open_mirror(engine, store, blobs, uploaded.has, settings)
    mirror_routes(api, mirroring.mirror)
    collect = hub_routes(api, engine, store, blobs, models, mirroring, uploaded, settings)
    checks = {"database": lambda: check(engine), "object store": store.check}
    sweeps = [blobs.collect, mirroring.collect, *collect, lambda: abort_strays(store, settings.blob_grace)]
    metrics = new_registry()
    metrics.register(volume_collector(engine))
    app = create_app("registry", api, checks, settings, envelopes=ENVELOPES, registry=metrics)
    return Registry(app, blobs, settings, sweeps, mirroring.fetcher.close)


def open_quota(settings: RegistrySettings) -> StorageQuota:
    """Of files that a project keeps, where people log in."""
    people, grace = settings.service_secret is not None, settings.blob_grace
    return StorageQuota(
        storage_limits, lambda conn: used_bytes(conn, grace), "models", settings.max_project_bytes, enforced=people
    )


def _upstream(settings: RegistrySettings) -> UpstreamService:
    @cache
    def client() -> UpstreamClient:
        from registry.upstream.client import UpstreamClient  # with all of huggingface_hub, for those who ask a hub

        token = settings.upstream_token
        return UpstreamClient(settings.upstream_url, token.get_secret_value() if token else None)

    return UpstreamService(client)


def make_app(settings: RegistrySettings) -> Flask:
    """The app as the process runs it: with its bucket made and its sweeper started."""
    store = open_store(settings)
    store.ensure_bucket()
    registry = build(settings, create_engine(settings.database_url, application_name="kargah-registry"), store)
    start_sweeper(registry.sweeps, settings.sweep_minutes * 60)
    return registry.app
