"""The files of a job's checkpoint: listed, sent one by one or as one archive, and the links that browsers follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from threading import BoundedSemaphore, Lock

from flask import Request, Response

from gateway.jobs.checkpoint_archive import Archive
from gateway.stored_files import Open, Opened, StoredFiles
from kargah.access.principal import current_principal
from kargah.access.tokens import DOWNLOAD_SECONDS, BadToken, mint_download_token, read_download_token
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
from kargah.domain.errors import Busy, Forbidden, Gone, NotFound
from kargah.domain.scope import current_project
from kargah.jobstore import checkpoint_repository, query_repository
from kargah.ports.object_store import ObjectMissing
from kargah.web.access import act_for_project
from kargah.web.file_answer import attachment, send

MayStillRead = Callable[[str, str], bool]
"""Whether a subject may read a project now."""
TAR = "application/x-tar"
_MANIFEST_BYTES = 4 << 20
_BUSY_SECONDS = 5


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
    Unavailable. `kind`: jobs of that kind alone, or of all.

    Each file on its way takes a thread of the server: at most `at_once` are under way, so that the others stay free.
    """

    def __init__(
        self, engine: Engine, files: StoredFiles, secret: str | None, may_still_read: MayStillRead, at_once: int
    ) -> None:
        """`secret`: what links are signed with; None where nobody must log in."""
        self._engine = engine
        self._files = files
        self._secret = secret
        self._may_still_read = may_still_read
        self._slots = BoundedSemaphore(at_once)

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
        opened = self._counted(found)

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
        free = self._slot()
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
        address = f"/api/jobs/{job_id}/checkpoints/{checkpoint_id}"
        if self._secret is None:
            return DownloadLink(url=f"{address}/archive")
        signature = mint_download_token(self._secret, current_principal(), current_project(), address)
        expires = datetime.now(UTC) + timedelta(seconds=DOWNLOAD_SECONDS)
        return DownloadLink(url=f"{address}/signed-archive?signature={signature}", expires_at=expires)

    def signed_archive(self, request: Request, job_id: str, checkpoint_id: str, signature: str) -> Response:
        """The archive, by the link of somebody who may still read it. Raises Forbidden, Busy."""
        address = f"/api/jobs/{job_id}/checkpoints/{checkpoint_id}"
        try:
            if self._secret is None:
                raise BadToken("No links are signed here.")
            subject, project = read_download_token(self._secret, signature, address)
            if not self._may_still_read(subject, project):
                raise BadToken("It was given to somebody who may not read this any more.")
        except BadToken as error:
            raise Forbidden("The link is damaged or has expired.", hint="Ask for a new one.") from error
        act_for_project(project)
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

    def _counted(self, found: Stored) -> Open:
        """Each object that is open takes a slot."""
        opened = _or_gone(self._files.reader(), found.view)

        def open_one(key: str, start: int, stop: int) -> Opened:
            free = self._slot()
            try:
                chunks, close = opened(key, start, stop)
            except BaseException:
                free()
                raise
            return chunks, lambda: (close(), free())

        return open_one

    def _slot(self) -> Callable[[], None]:
        """What gives the slot back, once however often it is called. Raises Busy."""
        if not self._slots.acquire(blocking=False):
            raise Busy(
                "As many checkpoints are being downloaded as can be at once.",
                hint="Try again in a moment.",
                extra={"seconds": _BUSY_SECONDS},
            )
        lock, taken = Lock(), [True]

        def free() -> None:
            with lock:
                if taken:
                    taken.clear()
                    self._slots.release()

        return free


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
