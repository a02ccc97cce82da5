"""The LFS batch, and the signed addresses that it gives out: whole files, or parts of large ones."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import request
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from kargah.access.roles import Permission
from kargah.contracts.base import Wire
from kargah.domain.errors import TooLarge
from kargah.web.access import act_for_project
from kargah.web.api import Api, Reply
from kargah.web.multipart import raw_upload
from kargah.web.route import RouteOptions
from registry.blobs.routes import BINARY
from registry.hub.endpoint import PREFIX, below
from registry.hub.errors import NotSupported
from registry.hub.read_routes import TAGS
from registry.hub.reader import HubReader
from registry.hub.uploads import Ticket, Uploads
from registry.repos.values import DATASETS, MODELS

_BATCH_BYTES = 8 << 20
_MOST_ADDRESSES = 50_000
"""In one answer: thousands of huge files would make gigabytes of addresses of their parts."""
_UPLOADS = f"{PREFIX}/api/uploads/<sha256>"


class LfsObject(Wire):
    """A file by its sha256."""

    oid: str = Field(pattern=r"^[0-9a-f]{64}$")
    size: int = Field(ge=0)


class LfsBatch(Wire):
    """What a client wants to upload."""

    operation: str = Field(max_length=40)
    objects: list[LfsObject] = Field(max_length=10_000)
    transfers: list[str] = ["basic"]


class LfsAction(Wire):
    """Where to send it. A `header` with `chunk_size` means parts, each with an address of its own."""

    href: str
    header: dict[str, Any] = {}


class LfsAnswer(Wire):
    """Without `actions` the file is there already; clients stumble over an empty member."""

    oid: str
    size: int
    authenticated: bool = True
    actions: dict[str, LfsAction] | None = None

    @model_serializer(mode="wrap")
    def _without_empty(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        members: dict[str, Any] = serialize(self)
        return {name: value for name, value in members.items() if value is not None}


class LfsAnswers(Wire):
    """For each file what to do."""

    transfer: str = "basic"
    objects: list[LfsAnswer]


def lfs_routes(api: Api, reader: HubReader, uploads: Uploads) -> None:
    """Add the routes to `api`."""
    _batch_routes(api, reader, uploads)
    _upload_routes(api, uploads)


def _batch_routes(api: Api, reader: HubReader, uploads: Uploads) -> None:
    def batch(kind: str, name: str, body: LfsBatch) -> LfsAnswers:
        reader.repository(kind, name)
        if body.operation != "upload":
            raise NotSupported("Only uploads go this way.", hint="Files are read from /resolve/.")
        in_parts = "multipart" in body.transfers
        if in_parts and sum(uploads.parts_of(one.size) for one in body.objects) > _MOST_ADDRESSES:
            raise TooLarge("The files have too many parts for one answer.", hint="Ask for fewer files at a time.")
        return LfsAnswers(objects=[_answer(uploads, one, in_parts) for one in body.objects])

    @api.post(
        f"{PREFIX}/<path:name>.git/info/lfs/objects/batch",
        returns=LfsAnswers,
        body=LfsBatch,
        body_limit=_BATCH_BYTES,
        free_query=True,
        tags=TAGS,
    )
    def batch_of_model(name: str, body: LfsBatch) -> LfsAnswers:
        """Where to upload files of a model's repository"""
        return batch(MODELS, name, body)

    @api.post(
        f"{PREFIX}/datasets/<path:name>.git/info/lfs/objects/batch",
        returns=LfsAnswers,
        body=LfsBatch,
        body_limit=_BATCH_BYTES,
        free_query=True,
        tags=TAGS,
    )
    def batch_of_dataset(name: str, body: LfsBatch) -> LfsAnswers:
        """Where to upload files of a dataset's repository"""
        return batch(DATASETS, name, body)


def _upload_routes(api: Api, uploads: Uploads) -> None:
    @api.put(_UPLOADS, **_signed(BINARY))
    def upload_file(sha256: str) -> Reply:
        """A whole file, checked against its sha256"""
        ticket = _ticket(uploads, sha256)
        uploads.put(ticket, raw_upload(request, limit=ticket.size_bytes).stream)
        return Reply()

    @api.put(f"{_UPLOADS}/parts/<int:number>", **_signed(BINARY))
    def upload_part(sha256: str, number: int) -> Reply:
        """A part of a file"""
        ticket = _ticket(uploads, sha256)
        etag = uploads.put_part(ticket, number, raw_upload(request, limit=uploads.part_bytes).stream)
        return Reply(headers={"etag": f'"{etag}"'})

    @api.post(f"{_UPLOADS}/complete", **_signed("application/vnd.git-lfs+json"))
    def complete_upload(sha256: str) -> Reply:
        """Join the parts; checked against the sha256"""
        uploads.complete(_ticket(uploads, sha256))
        return Reply()


def _signed(consumes: str) -> RouteOptions:
    """The address itself is the right to use it."""
    return {"needs": Permission.SIGNED, "consumes": consumes, "free_query": True, "tags": TAGS}


def _answer(uploads: Uploads, wanted: LfsObject, parts: bool) -> LfsAnswer:
    members = uploads.ticket(wanted.oid, wanted.size)
    if members is None:
        return LfsAnswer(oid=wanted.oid, size=wanted.size)
    query = urlencode(members)
    address = below("api", "uploads", wanted.oid)
    count = uploads.parts_of(wanted.size) if parts else 0
    action = LfsAction(href=f"{address}?{query}")
    if count:
        header = {str(number): f"{address}/parts/{number}?{query}" for number in range(1, count + 1)}
        action = LfsAction(href=f"{address}/complete?{query}", header={"chunk_size": str(uploads.part_bytes), **header})
    return LfsAnswer(oid=wanted.oid, size=wanted.size, actions={"upload": action})


def _ticket(uploads: Uploads, sha256: str) -> Ticket:
    """The right that the address gives, in the project that it was given for."""
    members = (request.args.get(name, "") for name in ("size", "expires", "project", "signature"))
    ticket = uploads.check(sha256, *members)
    act_for_project(ticket.project)
    return ticket
