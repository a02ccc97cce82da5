"""`/api/blobs/<sha256>`: ask and put."""

from __future__ import annotations

from flask import request
from pydantic import Field

from kargah.contracts.base import Wire
from kargah.web.api import Api, Reply
from kargah.web.multipart import raw_upload
from registry.blobs.service import BlobService, check_sha256

BINARY = "application/octet-stream"


class BlobView(Wire):
    """A blob that the registry holds."""

    sha256: str
    size_bytes: int = Field(ge=0)


def blob_routes(api: Api, blobs: BlobService, limit: int) -> None:
    """Add the routes to `api`. `limit` is the largest blob in bytes."""

    @api.head("/api/blobs/<sha256>", other_statuses=(404,), tags=["blobs"])
    def ask_blob(sha256: str) -> Reply:
        """Whether a blob is there: 200 or 404"""
        size = blobs.size(sha256)
        if size is None:
            return Reply(status=404)
        return Reply(headers={"x-size-bytes": str(size)})

    @api.put(
        "/api/blobs/<sha256>",
        returns=BlobView,
        status=201,
        other_statuses=(200,),
        consumes=BINARY,
        tags=["blobs"],
    )
    def put_blob(sha256: str) -> Reply:
        """Store a blob under its sha256; 200 if it was there already"""
        check_sha256(sha256)
        blobs.expect(sha256, request.content_length)
        size, created = blobs.put(sha256, raw_upload(request, limit=limit).stream)
        return Reply(BlobView(sha256=sha256, size_bytes=size), status=201 if created else 200)
