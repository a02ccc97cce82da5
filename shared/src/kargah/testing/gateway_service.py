"""The gateway and the inference service, each in a process of its own, beside services that run already."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.fixtures import store_in
from kargah.testing.service_process import ServiceProcess, service_process, started


@dataclass
class GatewayService(ServiceProcess):
    """Starts on a free port and keeps it; `client` reaches it."""

    name = "gateway"
    module = "gateway"


@dataclass
class InferenceService(ServiceProcess):
    """The same of the one that has no database."""

    name = "inference"
    module = "worker.inference"


def gateway_service(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, settings: Mapping[str, str]
) -> AbstractContextManager[GatewayService]:
    """One that runs, with a database of its own; `settings` say where its peers are."""
    return service_process(GatewayService, postgres, server, settings)


def inference_service(
    server: EmbeddedObjectStore, settings: Mapping[str, str]
) -> AbstractContextManager[InferenceService]:
    """One that runs on the bucket that `settings` name; they also say where its peers are."""
    store = {
        "KARGAH_S3_ENDPOINT": server.url,
        "KARGAH_S3_ACCESS_KEY": server.access_key,
        "KARGAH_S3_SECRET_KEY": server.secret_key,
    }
    return started(InferenceService({**store, **settings}, store_in(server, settings["KARGAH_S3_BUCKET"])))
