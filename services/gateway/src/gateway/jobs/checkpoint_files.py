"""The files of a job's checkpoint: listed, sent one by one or as one archive, and the links that browsers follow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from flask import Request, Response

from gateway.download_slots import DownloadSlots
from gateway.jobs.checkpoint_archive import Archive
from gateway.signed_links import SignedLinks
from gateway.stored_files import Open, Opened, StoredFiles
from kargah.contracts.checkpoints import (
    MANIFEST,
    CheckpointFile,
    CheckpointFiles,
    DownloadLink,
    Manifest,
    read_manifest,
)
from kargah.contracts.jobs import CheckpointView
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Gone, NotFound
from kargah.jobstore import checkpoint_repository, query_repository
from kargah.ports.object_store import ObjectMissing
from kargah.web.file_answer import attachment, send

TAR = "application/x-tar"
_MANIFEST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Stored:
    """A checkpoint that is there: its row, the key before its files' paths, and its manifest."""

    view: CheckpointView
    prefix: str
    manifest: Manifest

    @property
    def archive(self) -> Archive:
        folder = f"{self.view.job_id}-step-{self.view.step}"
        return Archive(folder, self.prefix, self.view.created_at, self.manifest.files)


class CheckpointFileService:
    """Every method raises NotFound for a job or a checkpoint that there is not, Gone for one that was removed, and
    Unavailable. `kind`: jobs of that kind alone, or of all."""

    def __init__(self, engine: Engine, files: StoredFiles, links: SignedLinks, slots: DownloadSlots) -> None:
        self._engine = engine
        self._files = files
        self._links = links
        self._slots = slots

    def list(self, job_id: str, checkpoint_id: str, kind: str | None = None) -> CheckpointFiles:
        """What belongs to the checkpoint."""
        found = self._found(job_id, checkpoint_id, kind)
        files = [CheckpointFile.model_validate(file.model_dump()) for file in found.manifest.files]
        return CheckpointFiles(checkpoint=found.view, files=files)

    def file(self, request: Request, job_id: str, checkpoint_id: str, path: str, kind: str | None = None) -> Response:
        """One of its files, or a range of it. Raises Busy."""
        found = self._found(job_id, checkpoint_id, kind)
        file = next((one for one in found.manifest.files if one.path == path), None)
        if file is None:
            raise NotFound(f"Checkpoint {checkpoint_id} has no file {path!r}.", hint=_listed(found.view))
        opened = self._slots.counted(_or_gone(self._files.reader(), found.view))

        def body(start: int, stop: int) -> Opened:
            return opened(found.prefix + path, start, stop)

        return send(request, path, file.size_bytes, file.sha256, body)

    def archive(self, request: Request, job_id: str, checkpoint_id: str, kind: str | None = None) -> Response:
        """All of them in one tar file. Raises Busy."""
        archive = (found := self._found(job_id, checkpoint_id, kind)).archive
        headers = {"content-disposition": attachment(archive.name), "cache-control": "private, no-cache"}
        response = Response(headers={**headers, "content-length": str(archive.size_bytes)}, content_type=TAR)
        if request.method == "HEAD":
            return response
        free = self._slots.take()
        try:
            pieces = archive.stream(_or_gone(self._files.reader(), found.view))
            first = next(pieces)
        except BaseException:
            free()
            raise
        response.response = chain((first,), pieces)
        response.call_on_close(pieces.close)
        response.call_on_close(free)
        return response

    def link(self, job_id: str, checkpoint_id: str, kind: str | None = None) -> DownloadLink:
        """Where a browser gets the archive, which cannot say who asks."""
        self._found(job_id, checkpoint_id, kind)
        address = _address(job_id, checkpoint_id)
        return self._links.link(address, f"{address}/archive", f"{address}/signed-archive?signature=")

    def signed_archive(self, request: Request, job_id: str, checkpoint_id: str, signature: str) -> Response:
        """The archive, by the link of somebody who may still read it. Raises Forbidden, Busy."""
        self._links.enter(_address(job_id, checkpoint_id), signature)
        return self.archive(request, job_id, checkpoint_id)

    def _found(self, job_id: str, checkpoint_id: str, kind: str | None) -> Stored:
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            view, prefix = checkpoint_repository.find(tx.connection, job_id, checkpoint_id)
        try:
            manifest = read_manifest(self._files.get(prefix + MANIFEST, _MANIFEST_BYTES))
        except ObjectMissing as error:
            raise _removed(view) from error
        except ValueError as error:
            raise _damaged(view) from error
        if (manifest.job_id, manifest.step, manifest.generation) != (job_id, view.step, view.attempt):
            raise _damaged(view)
        return Stored(view, prefix, manifest)


def _address(job_id: str, checkpoint_id: str) -> str:
    return f"/api/jobs/{job_id}/checkpoints/{checkpoint_id}"


def _or_gone(opened: Open, view: CheckpointView) -> Open:
    def open_one(key: str, start: int, stop: int) -> Opened:
        try:
            return opened(key, start, stop)
        except ObjectMissing as error:
            raise _removed(view) from error

    return open_one


def _removed(view: CheckpointView) -> Gone:
    return Gone(f"The files of checkpoint {view.id} (step {view.step}) are no longer there.", hint=_others(view))


def _damaged(view: CheckpointView) -> Gone:
    return Gone(f"Checkpoint {view.id} (step {view.step}) is damaged.", hint=_others(view))


def _others(view: CheckpointView) -> str:
    return f"GET /api/jobs/{view.job_id}/checkpoints lists those that are; one that is pinned is kept."


def _listed(view: CheckpointView) -> str:
    return f"GET /api/jobs/{view.job_id}/checkpoints/{view.id}/files lists them."
