"""The Hub, wired."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from kargah.db.engine import Engine
from kargah.ports.object_store import ObjectStore
from kargah.web.api import Api
from kargah.web.hub_errors import hub_error
from registry.blobs.service import BlobService
from registry.config import RegistrySettings
from registry.hub.commit_routes import commit_routes
from registry.hub.committer import Committer
from registry.hub.endpoint import PREFIX
from registry.hub.lfs_routes import lfs_routes
from registry.hub.promotion import Promotion
from registry.hub.read_routes import read_routes
from registry.hub.reader import HubReader
from registry.hub.resolve_routes import resolve_routes
from registry.hub.uploads import Uploads
from registry.hub.write_routes import write_routes
from registry.hub.writer import HubWriter
from registry.hub.xet.routes import xet_routes
from registry.hub.xet.service import XetStore
from registry.mirror.app import Mirroring
from registry.models.service import ModelService
from registry.uploaded.service import UploadedDatasets

ENVELOPES = {f"{PREFIX}/": hub_error}


def hub_routes(
    api: Api,
    engine: Engine,
    store: ObjectStore,
    blobs: BlobService,
    models: ModelService,
    mirroring: Mirroring,
    uploaded: UploadedDatasets,
    settings: RegistrySettings,
) -> list[Callable[[], object]]:
    """Add everything below `/hub` to `api`; what is to be called now and then to remove what was given up."""
    reader = HubReader(engine, uploaded)
    uploads = Uploads(store, blobs, _secret(settings), limit=settings.blob_bytes, part_bytes=settings.hub_part_bytes)
    read_routes(api, reader, mirroring.mirror)
    resolve_routes(api, reader, store, mirroring, uploaded, redirect=settings.hub_redirect)
    write_routes(api, HubWriter(engine, models, uploaded))
    commit_routes(api, reader, Committer(engine, store, blobs, Promotion(engine, store, models)))
    lfs_routes(api, reader, uploads)
    xet = XetStore(engine, store, blobs, limit=settings.blob_bytes)
    xet_routes(api, reader, xet, _secret(settings))
    return [lambda: uploads.collect(settings.blob_grace), lambda: xet.collect(settings.blob_grace)]


def _secret(settings: RegistrySettings) -> bytes:
    """Signs addresses to upload to: the same in every process of the registry, and after a restart."""
    return hashlib.sha256(f"kargah hub uploads\n{settings.s3_secret_key}".encode()).digest()
