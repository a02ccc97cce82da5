"""Wiring of the dataset service."""

from __future__ import annotations

from datetime import timedelta

from flask import Flask

from dataset_svc.changes.craft import changers
from dataset_svc.changes.routes import add_changes
from dataset_svc.changes.service import Changes
from dataset_svc.config import DatasetSettings
from dataset_svc.datasets.repository import ping
from dataset_svc.datasets.routes import datasets_api
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.tables import storage_limits
from dataset_svc.datasets.turns import Turns
from dataset_svc.datasets.uploads import Limits, Uploads
from dataset_svc.datasets.volume import volume_collector
from dataset_svc.janitor import Janitor
from dataset_svc.repairs.service import Repairs
from dataset_svc.resumable.completer import completer
from dataset_svc.resumable.routes import add_resumable
from dataset_svc.resumable.service import ResumableUploads, Rules
from dataset_svc.splits.service import SplitService
from dataset_svc.storage_repository import used_bytes
from kargah.adapters.minio_store import MinioStore
from kargah.adapters.settings import open_store
from kargah.db.engine import Engine, create_engine
from kargah.db.storage_quota import StorageQuota
from kargah.db.unit_of_work import UnitOfWork
from kargah.telemetry.metrics import new_registry
from kargah.web.app import create_app
from kargah.web.storage_routes import add_storage_routes


def make_app(settings: DatasetSettings) -> Flask:
    """The app with its janitor running; the bucket is made when it is not there."""
    store = open_store(settings)
    store.ensure_bucket()
    engine = create_engine(settings.database_url, application_name="dataset-svc")
    limits = Limits(settings.max_upload_bytes, settings.max_unpacked_bytes)
    turns, quota = Turns(settings.completions, settings.waiting_uploads), open_quota(settings)
    datasets, uploads = DatasetService(store, engine), Uploads(store, engine, limits, turns, quota)
    api = datasets_api(datasets, uploads, limits.upload_bytes)
    add_storage_routes(api, engine, quota, "datasets")
    add_resumable(api, _resumable(store, engine, uploads, quota, settings))
    add_changes(api, _changes(store, engine, datasets, uploads, settings))

    def database() -> None:
        with UnitOfWork(engine) as tx:
            ping(tx.connection)

    registry = new_registry()
    registry.register(volume_collector(engine))
    checks = {"database": database, "objects": store.check}
    return create_app("dataset-svc", api, checks, settings, registry=registry)


def open_quota(settings: DatasetSettings) -> StorageQuota:
    """Of rows that a project keeps, where people log in."""
    people = settings.service_secret is not None
    return StorageQuota(storage_limits, used_bytes, "datasets", settings.max_project_bytes, enforced=people)


def _resumable(
    store: MinioStore, engine: Engine, uploads: Uploads, quota: StorageQuota, settings: DatasetSettings
) -> ResumableUploads:
    """Uploads in parts, with who completes them and who clears away what is left of them at work."""
    silent = timedelta(seconds=settings.upload_silent_seconds)
    workers = completer(store, engine, uploads, settings.completions, _lease(settings))
    rules = Rules(settings.max_upload_bytes, settings.upload_part_bytes, silent)
    resumable = ResumableUploads(store, engine, rules, workers.wake, quota)
    workers.start()
    age = timedelta(seconds=settings.leftover_seconds)
    Janitor(store, engine, resumable, settings.janitor_seconds, silent, age).start()
    return resumable


def _changes(
    store: MinioStore, engine: Engine, datasets: DatasetService, uploads: Uploads, settings: DatasetSettings
) -> Changes:
    """Repairs and splits, with who does them at work."""
    repairs, splits = Repairs(store, engine, datasets, uploads), SplitService(store, datasets, uploads)
    workers = changers(engine, repairs, splits, settings.completions, _lease(settings))
    workers.start()
    return Changes(engine, datasets, workers.wake)


def _lease(settings: DatasetSettings) -> timedelta:
    return timedelta(seconds=settings.upload_lease_seconds)
