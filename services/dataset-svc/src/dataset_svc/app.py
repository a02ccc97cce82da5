"""Wiring of the dataset service."""

from __future__ import annotations

from flask import Flask

from dataset_svc.config import DatasetSettings
from dataset_svc.datasets.repository import ping
from dataset_svc.datasets.routes import datasets_api
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import Limits, Uploads
from dataset_svc.janitor import start_janitor
from dataset_svc.repairs.routes import repair_routes
from dataset_svc.repairs.service import Repairs
from kargah.adapters.settings import open_store
from kargah.db.engine import create_engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.web.app import create_app


def make_app(settings: DatasetSettings) -> Flask:
    """The app with its janitor running; the bucket is made when it is not there."""
    store = open_store(settings)
    store.ensure_bucket()
    engine = create_engine(settings.database_url, application_name="dataset-svc")
    limits = Limits(settings.max_upload_bytes, settings.max_unpacked_bytes)
    datasets, uploads = DatasetService(store, engine), Uploads(store, engine, limits)
    api = datasets_api(datasets, uploads, limits.upload_bytes)
    repair_routes(api, Repairs(datasets, uploads))

    def database() -> None:
        with UnitOfWork(engine) as tx:
            ping(tx.connection)

    app = create_app("dataset-svc", api, {"database": database, "objects": store.check}, settings)
    start_janitor(store, engine, settings.janitor_seconds)
    return app
