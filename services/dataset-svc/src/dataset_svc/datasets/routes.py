"""The HTTP face of datasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flask import Response, request

from dataset_svc.datasets.queries import ContentQuery, ListQuery, PreviewQuery, VersionQuery
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import Request, Uploads
from kargah import __version__
from kargah.contracts.base import Page
from kargah.contracts.datasets import (
    DatasetLocation,
    DatasetPreview,
    DatasetStats,
    DatasetVersionView,
    DatasetView,
)
from kargah.domain.errors import FieldError, Invalid
from kargah.web.api import Api, Reply
from kargah.web.multipart import open_upload, raw_upload
from kargah.web.paging import PageQuery
from kargah.web.unchanged import etag, unless_known

_FORM_FIELDS = ("name", "format", "map")
_NAME = "/api/datasets/<path:name>"
_BINARY = "application/octet-stream"


def datasets_api(service: DatasetService, uploads: Uploads, max_upload_bytes: int) -> Api:
    """Every route of the service."""
    api = Api("datasets", __version__)
    _add_uploads(api, uploads, max_upload_bytes)
    _add_reads(api, service)
    return api


def _add_uploads(api: Api, uploads: Uploads, limit: int) -> None:
    @api.post(
        "/api/datasets", returns=DatasetVersionView, status=201, other_statuses=(200,), consumes="multipart/form-data"
    )
    def create_dataset() -> Reply:
        """Upload a file as the form field `file`, with `name` and perhaps `format` and `map`."""
        upload = open_upload(request, limit=limit, known_fields=_FORM_FIELDS)
        if "name" in upload.fields:
            _form_request(upload.fields, upload.filename).check()
        uploads.expect(request.content_length)
        with uploads.turns.place(request.content_length), uploads.staged(upload.stream) as staged:
            return _reply(*uploads.add(staged, _form_request(upload.fields, upload.filename)))

    @api.put(
        f"{_NAME}/content",
        returns=DatasetVersionView,
        status=201,
        other_statuses=(200,),
        query=ContentQuery,
        consumes="application/octet-stream",
    )
    def put_dataset_content(name: str, query: ContentQuery) -> Reply:
        """Upload a file as the body itself; 200 when these rows were there already."""
        wanted = Request(name, query.filename, query.format, query.map, query.origin)
        wanted.check()
        upload = raw_upload(request, limit=limit)
        size = request.content_length
        uploads.expect(size)
        with uploads.turns.place(size), uploads.staged(upload.stream, size) as staged:
            return _reply(*uploads.add(staged, wanted))


def _located(location: DatasetLocation) -> Reply:
    return Reply(location, headers=etag(location.version.id))


def _add_reads(api: Api, service: DatasetService) -> None:
    @api.get("/api/datasets", returns=Page[DatasetView], query=ListQuery)
    def list_datasets(query: ListQuery) -> Page[DatasetView]:
        """All datasets, newest first."""
        return service.page(query.search, query.cursor, query.limit)

    @api.get(_NAME, returns=DatasetView, query=VersionQuery)
    def get_dataset(name: str, query: VersionQuery) -> DatasetView:
        """One dataset; with `version`, that version in the place of the latest."""
        return service.get(name, query.version)

    @api.get(f"{_NAME}/versions", returns=Page[DatasetVersionView], query=PageQuery)
    def list_dataset_versions(name: str, query: PageQuery) -> Page[DatasetVersionView]:
        """The versions of a dataset, newest first."""
        return service.versions(name, query.cursor, query.limit)

    @api.get(f"{_NAME}/preview", returns=DatasetPreview, query=PreviewQuery)
    def preview_dataset(name: str, query: PreviewQuery) -> DatasetPreview:
        """Some rows as stored, the first ten by default; with `search`, rows that have it"""
        return service.preview(name, query)

    @api.get(f"{_NAME}/statistics", returns=DatasetStats, query=VersionQuery)
    def get_dataset_statistics(name: str, query: VersionQuery) -> DatasetStats:
        """Rows, sizes, fields, lengths and labels of a version."""
        return service.get(name, query.version).latest.stats

    @api.get(f"{_NAME}/location", returns=DatasetLocation, query=VersionQuery, other_statuses=(304,))
    def locate_dataset(name: str, query: VersionQuery) -> Reply | Response:
        """Where a worker reads the rows of a version. The ETag is the version's id"""
        version = query.version
        return unless_known(
            request, lambda: service.version_id(name, version), lambda: _located(service.location(name, version))
        )

    @api.get(f"{_NAME}/content", query=VersionQuery, produces="application/jsonl")
    def get_dataset_content(name: str, query: VersionQuery) -> Response:
        """All rows of a version as stored, as JSON lines."""
        return _streamed(service.content(name, query.version), "application/jsonl")

    @api.get(f"{_NAME}/splits", query=VersionQuery, produces=_BINARY)
    def get_dataset_splits(name: str, query: VersionQuery) -> Response:
        """A byte for each row of a version: the place of its split in `splits.names`; 404 where it has none."""
        return _streamed(service.places(name, query.version), _BINARY)

    @api.delete(_NAME, status=204, query=VersionQuery)
    def delete_dataset(name: str, query: VersionQuery) -> None:
        """Remove a dataset and all its versions; with `version`, that one alone, unless others were made from it."""
        service.delete(name, query.version)


def _form_request(fields: Mapping[str, str], filename: str | None) -> Request:
    if "name" not in fields:
        raise Invalid("The form is not acceptable.", errors=[FieldError("name", "Name the dataset.", "missing")])
    return Request(fields["name"], filename, fields.get("format") or None, fields.get("map") or None)


def _streamed(found: tuple[int, Iterator[bytes]], content_type: str) -> Response:
    size, chunks = found
    return Response(chunks, content_type=content_type, headers={"content-length": str(size)})


def _reply(version: DatasetVersionView, created: bool) -> Reply:
    return Reply(version, 201 if created else 200, {"location": f"/api/datasets/{version.dataset}"})
