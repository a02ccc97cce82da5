"""The registry, wired."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask

from kargah.adapters.settings import open_store
from kargah.db.engine import Engine, create_engine
from kargah.ports.object_store import ObjectStore
from kargah.web.api import Api
from kargah.web.app import create_app
from registry.blobs.repository import check
from registry.blobs.routes import blob_routes
from registry.blobs.service import BlobService
from registry.config import RegistrySettings
from registry.models.routes import model_routes
from registry.models.service import ModelService
from registry.sweeper import start_sweeper

VERSION = "0.1.0"


@dataclass(frozen=True, slots=True)
class Registry:
    """The parts that outlive a request."""

    app: Flask
    blobs: BlobService
    settings: RegistrySettings


def build(settings: RegistrySettings, engine: Engine, store: ObjectStore) -> Registry:
    """The app on this database and this store."""
    blobs = BlobService(engine, store, settings.blob_grace)
    models = ModelService(engine, store, blobs)
    api = Api("registry", VERSION)
    blob_routes(api, blobs, settings.blob_bytes)
    model_routes(api, models, store)
    checks = {"database": lambda: check(engine), "object store": store.check}
    return Registry(create_app("registry", api, checks, settings), blobs, settings)


def make_app(settings: RegistrySettings) -> Flask:
    """The app as the process runs it: with its bucket made and its sweeper started."""
    store = open_store(settings)
    store.ensure_bucket()
    registry = build(settings, create_engine(settings.database_url, application_name="kargah-registry"), store)
    start_sweeper(registry.blobs, settings.sweep_minutes * 60)
    return registry.app
