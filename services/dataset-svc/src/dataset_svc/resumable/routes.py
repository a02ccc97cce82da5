"""The HTTP face of uploads in parts."""

from __future__ import annotations

from pydantic import Field

from dataset_svc.resumable.service import ResumableUploads
from kargah.access.roles import Permission
from kargah.contracts.base import WireRequest
from kargah.contracts.uploads import PartUrls, UploadComplete, UploadCreate, UploadView
from kargah.web.api import Api, Reply

_UPLOADS = "/api/datasets/uploads"
_UPLOAD = f"{_UPLOADS}/<upload_id>"


class PartsQuery(WireRequest):
    """The first `limit` missing parts behind part `after`."""

    after: int = Field(default=0, ge=0, le=10_000)
    limit: int = Field(default=50, ge=1, le=200)


def add_resumable(api: Api, uploads: ResumableUploads) -> None:
    """Every route of uploads in parts."""

    @api.post(_UPLOADS, returns=UploadView, status=201, other_statuses=(200,), body=UploadCreate)
    def create_dataset_upload(body: UploadCreate) -> Reply:
        """Begin an upload in parts, or go on with the one of the same file (200)."""
        view, created = uploads.create(body)
        return Reply(view, 201 if created else 200, {"location": f"{_UPLOADS}/{view.id}"})

    @api.get(_UPLOAD, returns=UploadView)
    def get_dataset_upload(upload_id: str) -> UploadView:
        """How far an upload is: its parts, then the bytes checked, then its version."""
        return uploads.get(upload_id)

    @api.get(f"{_UPLOAD}/parts", returns=PartUrls, query=PartsQuery, needs=Permission.WRITE)
    def list_dataset_upload_parts(upload_id: str, query: PartsQuery) -> PartUrls:
        """Where the parts go that are not there yet: presigned URLs of the object store."""
        return uploads.part_urls(upload_id, query.after, query.limit)

    @api.post(
        f"{_UPLOAD}/complete",
        returns=UploadView,
        status=202,
        other_statuses=(200,),
        body=UploadComplete,
        optional_body=True,
    )
    def complete_dataset_upload(upload_id: str, body: UploadComplete) -> Reply:
        """All parts are sent: check them and make the version. Asked again: how far that is (200 when it ended)."""
        view = uploads.complete(upload_id, body.sha256)
        return Reply(view, 202 if view.state == "checking" else 200)

    @api.delete(_UPLOAD, status=204)
    def delete_dataset_upload(upload_id: str) -> None:
        """Give an upload up; a version that it became stays."""
        uploads.abort(upload_id)
