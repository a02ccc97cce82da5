"""Wiring: settings in, a Flask app with everything behind it out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask

import kargah
from gateway.access.accounts import need_project
from gateway.access.first_admin import FirstAdmin
from gateway.access.wiring import Access
from gateway.catalogue import Catalogue
from gateway.config import GatewaySettings
from gateway.datasets_in_use import DatasetsInUse
from gateway.download_slots import DownloadSlots
from gateway.estimates.routes import add_estimate_routes
from gateway.estimates.service import EstimateService
from gateway.events.hub import EventHub
from gateway.events.routes import add_event_routes
from gateway.events.stream import EventStreams
from gateway.jobs.checkpoint_files import CheckpointFileService
from gateway.jobs.checkpoint_routes import add_checkpoint_routes
from gateway.jobs.room import Room
from gateway.jobs.routes import add_job_routes
from gateway.jobs.service import JobService
from gateway.model_file_routes import add_model_file_routes
from gateway.model_files import ModelFileService
from gateway.models_in_use import ModelsInUse
from gateway.openai_errors import openai_error
from gateway.proxies import PROXIED, add_proxies
from gateway.queue.routes import add_queue_routes
from gateway.queue.service import QueueService
from gateway.queue_metrics import queue_collector
from gateway.reconciler import Reconciler
from gateway.ringer import Ringer
from gateway.signed_links import SignedLinks
from gateway.sources import add_source_routes
from gateway.status import StatusReader, add_status_route
from gateway.stored_files import StoredFiles
from gateway.studio import STUDIO_PUBLIC, add_studio
from gateway.whole_document import with_peers
from kargah.adapters.bells import open_bell
from kargah.db.engine import create_engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.jobstore.recipe_repository import list_recipes
from kargah.telemetry.metrics import new_registry
from kargah.web.api import Api
from kargah.web.app import create_app
from kargah.web.hub_errors import hub_error

# Of the server's threads, those that downloads may hold: large files, and clients that read slowly.
_DOWNLOADS_SHARE = 4


@dataclass(frozen=True, slots=True)
class Gateway:
    """The app, its threads, and what to close at the end."""

    app: Flask
    hub: EventHub
    reconciler: Reconciler
    ringer: Ringer
    first_admin: FirstAdmin
    closing: Sequence[Callable[[], None]]

    def start(self) -> None:
        """Start the threads: after the server's fork."""
        self.first_admin.try_ensure()
        self.hub.start()
        self.ringer.start()
        self.reconciler.start()

    def stop(self) -> None:
        """End the threads, close every connection."""
        self.reconciler.stop()
        self.hub.stop()
        self.ringer.stop()
        for close in self.closing:
            close()


def build(settings: GatewaySettings) -> Gateway:
    """Connects on first use only, so the other services may still be starting."""
    engine = create_engine(settings.database_url, application_name="kargah-gateway")
    registry = new_registry()
    registry.register(queue_collector(engine))
    ringer = Ringer(open_bell(settings, engine), registry)
    catalogue = Catalogue(settings.registry_url, settings.datasets_url, settings.service_secret)
    hub = EventHub(engine, settings.database_url, settings.event_streams, settings.event_streams_each)

    access = Access(engine, settings)
    api = Api("Kargah", kargah.__version__)
    guarded = settings.service_secret is not None
    room = Room(catalogue.storage) if guarded else None
    add_job_routes(api, JobService(engine, ringer, catalogue, settings.max_waiting, room))
    files = StoredFiles(settings.registry_url, settings.service_secret)
    slots = DownloadSlots(max(1, settings.threads // _DOWNLOADS_SHARE))
    links = SignedLinks(settings.service_secret, access.may_still_read)
    add_checkpoint_routes(api, CheckpointFileService(engine, files, links, slots))
    add_model_file_routes(api, ModelFileService(catalogue, files, links, slots))
    add_estimate_routes(api, EstimateService(engine, catalogue))
    add_queue_routes(api, QueueService(engine, ringer, settings.max_waiting, need_project if guarded else None))
    add_source_routes(api, catalogue)
    reader = StatusReader(engine, settings)
    add_status_route(api, reader)
    access.add_routes(api)
    add_event_routes(api, EventStreams(engine, hub), access.caller_of)

    def schema_is_there() -> None:
        with UnitOfWork(engine) as tx:
            list_recipes(tx.connection)

    peers = {"datasets": settings.datasets_url, "registry": settings.registry_url, "inference": settings.inference_url}
    app = create_app(
        "gateway",
        api,
        {"database": schema_is_there},
        settings,
        envelopes={"/v1/": openai_error, "/hub/": hub_error},
        registry=registry,
        whole=lambda own: with_peers(own, peers),
        authenticate=access.authenticate,
        needs={**STUDIO_PUBLIC, **PROXIED},
    )
    access.watch(app)
    add_studio(app, settings.studio_dir)
    proxies = add_proxies(app, settings, ModelsInUse(engine, catalogue), DatasetsInUse(engine))
    closing = [catalogue.close, files.close, reader.close, *(proxy.close for proxy in proxies), engine.dispose]
    reconciler = Reconciler(engine, ringer, registry, settings.sweep_seconds, settings.retry_policy)
    return Gateway(app, hub, reconciler, ringer, access.first_admin, closing)
