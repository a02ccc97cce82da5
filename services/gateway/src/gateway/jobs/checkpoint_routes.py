"""`.../checkpoints/<id>/...`: the files of a checkpoint, for whoever may read its job."""

from __future__ import annotations

from flask import Response, request
from pydantic import Field

from gateway.jobs.checkpoint_files import TAR, CheckpointFileService
from gateway.jobs.replies import named
from kargah.access.roles import Permission
from kargah.contracts.base import WireRequest
from kargah.contracts.checkpoints import CheckpointFiles, DownloadLink
from kargah.domain.kinds import Kind
from kargah.web.api import Api

_TAGS = ["jobs"]
_SIGNED = "/api/jobs/<job_id>/checkpoints/<checkpoint_id>/signed-archive"


class SignatureQuery(WireRequest):
    """As the link has it."""

    signature: str = Field(default="", max_length=2000)


def add_checkpoint_routes(api: Api, service: CheckpointFileService) -> None:
    """Beside the other addresses of a job."""
    for scope, prefix, kind in (("train_job", "/api/train/jobs", Kind.TRAIN), ("job", "/api/jobs", None)):
        path = f"{prefix}/<job_id>/checkpoints/<checkpoint_id>"
        _add_files(api, service, scope, path, kind)
        _add_archive(api, service, scope, path, kind)

    @api.get(_SIGNED, query=SignatureQuery, needs=Permission.SIGNED, produces=TAR, tags=_TAGS)
    def download_signed_checkpoint(job_id: str, checkpoint_id: str, query: SignatureQuery) -> Response:
        """The archive, by the link that was given out for it."""
        return service.signed_archive(request, job_id, checkpoint_id, query.signature)


def _add_files(api: Api, service: CheckpointFileService, scope: str, path: str, kind: str | None) -> None:
    @api.get(f"{path}/files", returns=CheckpointFiles, tags=_TAGS)
    @named(f"list_{scope}_checkpoint_files")
    def files(job_id: str, checkpoint_id: str) -> CheckpointFiles:
        """The files of a checkpoint, with sizes and sha256."""
        return service.list(job_id, checkpoint_id, kind)

    @api.get(
        f"{path}/files/<path:path>",
        other_statuses=(206, 304, 416),
        produces="application/octet-stream",
        tags=_TAGS,
    )
    @named(f"download_{scope}_checkpoint_file")
    def file(job_id: str, checkpoint_id: str, path: str) -> Response:
        """A file of a checkpoint; ranges are served."""
        return service.file(request, job_id, checkpoint_id, path, kind)


def _add_archive(api: Api, service: CheckpointFileService, scope: str, path: str, kind: str | None) -> None:
    @api.get(f"{path}/archive", produces=TAR, tags=_TAGS)
    @named(f"download_{scope}_checkpoint")
    def archive(job_id: str, checkpoint_id: str) -> Response:
        """All files of a checkpoint as one tar file."""
        return service.archive(request, job_id, checkpoint_id, kind)

    @api.post(f"{path}/link", returns=DownloadLink, needs=Permission.READ, tags=_TAGS)
    @named(f"link_{scope}_checkpoint")
    def link(job_id: str, checkpoint_id: str) -> DownloadLink:
        """An address of the archive for a browser, which cannot say who asks; good for five minutes."""
        return service.link(job_id, checkpoint_id, kind)
