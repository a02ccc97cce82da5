"""The inference service, wired."""

from __future__ import annotations

import shutil

from flask import Flask

from kargah import __version__
from kargah.access.service_auth import ServiceAuth
from kargah.adapters.settings import open_store
from kargah.clients.peer import Peer
from kargah.ports.object_store import ObjectStore
from kargah.telemetry.metrics import new_registry
from kargah.web.api import Api
from kargah.web.app import create_app
from worker.gpus import GpuCollector
from worker.inference.catalogue import Catalogue
from worker.inference.chat import ChatService
from worker.inference.client_socket import remember_connections
from worker.inference.config import InferenceSettings
from worker.inference.errors import openai_error
from worker.inference.loading import Loader
from worker.inference.metrics import InferenceMetrics
from worker.inference.pool import ModelPool
from worker.inference.routes import chat_routes
from worker.inference.tokens.datasets import Datasets
from worker.inference.tokens.readable import TokenizerLoader
from worker.inference.tokens.routes import token_routes
from worker.inference.tokens.service import TokenService

_TOKENIZERS = 4


def build(settings: InferenceSettings, catalogue: Catalogue, store: ObjectStore) -> Flask:
    """The app on this registry and this store. Folders of models that an earlier process had loaded are removed."""
    for folder in (settings.models_dir, settings.tokenizers_dir):
        shutil.rmtree(folder, ignore_errors=True)
    registry = new_registry()
    loader = Loader(store, settings)
    pool = ModelPool(settings.models_loaded, settings.queue_length, loader.load, loader.unload)
    GpuCollector(registry)
    metrics = InferenceMetrics(registry)
    metrics.watch_loaded(lambda: pool.loaded)
    api = Api("inference", __version__)
    chat_routes(api, ChatService(catalogue, pool, metrics, settings.max_tokens), catalogue)
    token_routes(api, _token_service(settings, catalogue, store))
    checks = {"registry": catalogue.check, "object store": store.check}
    app = create_app("inference", api, checks, settings, envelopes={"/v1/": openai_error}, registry=registry)
    remember_connections(app)
    return app


def _token_service(settings: InferenceSettings, catalogue: Catalogue, store: ObjectStore) -> TokenService:
    loader = TokenizerLoader(store, settings)
    pool = ModelPool(_TOKENIZERS, settings.queue_length, loader.load, loader.unload)
    peer = Peer("dataset service", settings.datasets_url, _auth(settings))
    datasets = Datasets(peer, store, settings.cache_dir, settings.cache_bytes)
    return TokenService(catalogue, datasets, pool, settings.tokens_seconds)


def make_app(settings: InferenceSettings) -> Flask:
    """The app as the process runs it."""
    return build(settings, Catalogue(settings.registry_url, _auth(settings)), open_store(settings))


def _auth(settings: InferenceSettings) -> ServiceAuth:
    return ServiceAuth(settings.service_secret, "inference")
