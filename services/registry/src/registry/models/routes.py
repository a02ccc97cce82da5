"""`/api/models`: commit, list, inspect, locate, download, delete."""

from __future__ import annotations

from flask import Response, request
from pydantic import Field

from kargah.contracts.base import Page, WireRequest
from kargah.contracts.models import ModelLocation, ModelVersionCreate, ModelVersionView, ModelView
from kargah.domain.names import VERSION_PATTERN
from kargah.ports.object_store import ObjectStore
from kargah.web.api import Api, Reply
from kargah.web.file_answer import object_body, send
from kargah.web.paging import PageQuery
from kargah.web.unchanged import etag, unless_known
from registry.blobs.routes import BINARY
from registry.blobs.service import PREFIX
from registry.models.service import ModelService

_COMMIT_BYTES = 8 << 20
_TAGS = ["models"]


class VersionQuery(WireRequest):
    """`?version=2`, or an alias: `?version=production`; without it the latest."""

    version: str | None = Field(default=None, pattern=VERSION_PATTERN)


class ListQuery(PageQuery):
    """`search` in names, whatever the case; `kind`: causal_lm, encoder, classifier, adapter, other."""

    search: str | None = Field(default=None, max_length=200)
    kind: str | None = Field(default=None, max_length=50)


def model_routes(api: Api, models: ModelService, store: ObjectStore) -> None:
    """Add the routes to `api`."""
    _reading_routes(api, models, store)
    _writing_routes(api, models)


def _reading_routes(api: Api, models: ModelService, store: ObjectStore) -> None:
    @api.get("/api/models", returns=Page[ModelView], query=ListQuery, tags=_TAGS)
    def list_models(query: ListQuery) -> Page[ModelView]:
        """Installed models, newest first"""
        return models.list(search=query.search, kind=query.kind, cursor=query.cursor, limit=query.limit)

    @api.get("/api/models/<path:name>", returns=ModelView, query=VersionQuery, tags=_TAGS)
    def get_model(name: str, query: VersionQuery) -> ModelView:
        """A model; with `version`, that one stands in `latest`"""
        return models.get(name, query.version)

    @api.get("/api/models/<path:name>/versions", returns=Page[ModelVersionView], query=PageQuery, tags=_TAGS)
    def list_versions(name: str, query: PageQuery) -> Page[ModelVersionView]:
        """The versions of a model, newest first"""
        return models.versions(name, cursor=query.cursor, limit=query.limit)

    @api.get(
        "/api/models/<path:name>/location",
        returns=ModelLocation,
        query=VersionQuery,
        other_statuses=(304,),
        tags=_TAGS,
    )
    def locate_model(name: str, query: VersionQuery) -> Reply | Response:
        """Where a worker reads a version, and the base of an adapter. The ETag is the version's id"""
        version = query.version
        return unless_known(
            request, lambda: models.version_id(name, version), lambda: _located(models.locate(name, version))
        )

    @api.get(
        "/api/models/<path:name>/files/<path:path>",
        query=VersionQuery,
        other_statuses=(206, 304, 416),
        produces=BINARY,
        tags=_TAGS,
    )
    def download_file(name: str, path: str, query: VersionQuery) -> Response:
        """A file of a version; ranges are served"""
        file = models.file(name, path, query.version)
        return send(request, file.path, file.size_bytes, file.sha256, object_body(store, PREFIX + file.sha256))


def _located(location: ModelLocation) -> Reply:
    return Reply(location, headers=etag(location.version.id))


def _writing_routes(api: Api, models: ModelService) -> None:
    @api.post(
        "/api/models/<path:name>/versions",
        returns=ModelVersionView,
        status=201,
        other_statuses=(200,),
        body=ModelVersionCreate,
        body_limit=_COMMIT_BYTES,
        tags=_TAGS,
    )
    def commit_version(name: str, body: ModelVersionCreate) -> Reply:
        """Make a version of blobs that are there; 200 when the idempotency key was used before"""
        version, created = models.add_version(name, body)
        return Reply(version, status=201 if created else 200)

    @api.delete("/api/models/<path:name>", status=204, query=VersionQuery, tags=_TAGS)
    def delete_model(name: str, query: VersionQuery) -> None:
        """Delete a model, or one version; refused while adapters need it or an alias points to it"""
        models.delete(name, query.version)
