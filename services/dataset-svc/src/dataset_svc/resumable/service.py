"""Uploads in parts: the sender asks where the parts go, sends them to the store, and says when all are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from dataset_svc.datasets import repository as datasets
from dataset_svc.datasets.objects import STAGING
from dataset_svc.datasets.uploads import Request, label
from dataset_svc.resumable import repository
from dataset_svc.resumable.values import NewUpload, Upload
from kargah.contracts.problem import Problem
from kargah.contracts.uploads import PartUrl, PartUrls, UploadCreate, UploadView
from kargah.db.engine import Engine
from kargah.db.storage_quota import StorageQuota, no_quota
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, FieldError, NotFound, TooLarge
from kargah.domain.ids import new_id
from kargah.ports.object_store import MultipartStore, ObjectMissing, Part

_URL_LIFE = timedelta(minutes=15)
_MOST_PARTS = 9000
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Rules:
    """`part_bytes` of a file that needs no larger ones, `silent` after which an open upload is given up."""

    upload_bytes: int
    part_bytes: int
    silent: timedelta


class ResumableUploads:
    """Safe for any number of threads and replicas. Raises NotFound for unknown ids, Unavailable when store or database
    are. `wake` is called when there is something to check."""

    def __init__(
        self,
        store: MultipartStore,
        engine: Engine,
        rules: Rules,
        wake: Callable[[], None],
        quota: StorageQuota | None = None,
    ) -> None:
        self._store = store
        self._engine = engine
        self._rules = rules
        self._wake = wake
        self._quota = quota or no_quota()

    def create(self, wanted: UploadCreate) -> tuple[UploadView, bool]:
        """An upload for that file: a new one, or the one that is there already (then False). Its size counts as taken
        until it has ended. Raises OverQuota."""
        request = Request(wanted.name, label(wanted.filename), wanted.format, wanted.map, wanted.origin)
        request.check()
        if wanted.size_bytes > self._rules.upload_bytes:
            message = f"the file is larger than {self._rules.upload_bytes:,} bytes"
            raise TooLarge(message, "split it into several datasets")
        draft = self._draft(wanted, request)
        if (known := self._known(draft)) is not None:
            return known, False
        return self._view(self._begin(draft)), True

    def _draft(self, wanted: UploadCreate, request: Request) -> NewUpload:
        own = new_id("upload")
        part = max(self._rules.part_bytes, -(-wanted.size_bytes // _MOST_PARTS // _MIB) * _MIB)
        return NewUpload(
            id=own,
            request=request,
            size_bytes=wanted.size_bytes,
            part_bytes=part,
            sha256=wanted.sha256,
            modified=wanted.modified,
            object_key=f"{STAGING}{own}/source",
            multipart_id="",
        )

    def _known(self, draft: NewUpload) -> UploadView | None:
        """The upload of the same file; not one whose dataset or parts are gone since."""
        with UnitOfWork(self._engine) as tx:
            found = repository.find_same(tx.connection, draft)
            if found is not None:
                repository.touch(tx.connection, found.id)
        if found is None or (found.state == "open" and not self._is_under_way(found)):
            return None
        view = self._view(found)
        return None if view.state == "done" and view.version is None else view

    def _is_under_way(self, upload: Upload) -> bool:
        """Whether the store still knows it: a rule of the bucket may have ended it."""
        try:
            self._store.parts(upload.object_key, upload.multipart_id)
        except ObjectMissing:
            self.abort(upload.id)
            return False
        return True

    def _begin(self, draft: NewUpload) -> Upload:
        multipart_id = self._store.begin_multipart(draft.object_key)
        try:
            with UnitOfWork(self._engine) as tx, self._quota.kept(tx.connection):
                return repository.add(tx.connection, replace(draft, multipart_id=multipart_id))
        except BaseException:
            self._store.abort_multipart(draft.object_key, multipart_id)
            raise

    def get(self, upload_id: str) -> UploadView:
        """How far it is."""
        return self._view(self._upload(upload_id))

    def part_urls(self, upload_id: str, after: int, limit: int) -> PartUrls:
        """Where the first `limit` parts behind `after` go that are not there yet. Raises Conflict unless open."""
        upload = self._upload(upload_id, touch=True)
        if upload.state != "open":
            raise Conflict(f"the upload takes no more parts: it is {upload.state}", "ask how far it is")
        present = {part.number for part in self._parts(upload) if part.size == upload.part_size(part.number)}
        missing = [number for number in range(after + 1, upload.part_count + 1) if number not in present]
        items = [self._part_url(upload, number) for number in missing[:limit]]
        return PartUrls(items=items, next_after=items[-1].number if len(missing) > limit else None)

    def complete(self, upload_id: str, sha256: str | None) -> UploadView:
        """Have it checked; asked again, how far that is. Raises Conflict while parts are missing."""
        upload = self._upload(upload_id)
        if upload.state == "open":
            refuse_incomplete(upload, self._parts(upload))
            with UnitOfWork(self._engine) as tx:
                repository.start_checking(tx.connection, upload_id, sha256)
            self._wake()
        return self.get(upload_id)

    def abort(self, upload_id: str) -> None:
        """Give it up, whatever its state; a version that it became stays."""
        with UnitOfWork(self._engine) as tx:
            upload = repository.give_up(tx.connection, upload_id)
        if upload is None:
            raise _unknown(upload_id)
        self.clear(upload)

    def clear(self, upload: Upload) -> None:
        """Remove what an upload that was given up has in the store, then forget it."""
        clear_staging(self._store, upload)
        with UnitOfWork(self._engine) as tx:
            repository.remove(tx.connection, upload.id)

    def _upload(self, upload_id: str, *, touch: bool = False) -> Upload:
        with UnitOfWork(self._engine) as tx:
            found = repository.get(tx.connection, upload_id)
            if found is not None and touch:
                repository.touch(tx.connection, upload_id)
        if found is None:
            raise _unknown(upload_id)
        return found

    def _parts(self, upload: Upload) -> list[Part]:
        """The parts in the store; none when they became the object, or were given up, in this very moment."""
        try:
            return self._store.parts(upload.object_key, upload.multipart_id)
        except ObjectMissing:
            return []

    def _part_url(self, upload: Upload, number: int) -> PartUrl:
        url = self._store.presign_part(upload.object_key, upload.multipart_id, number, _URL_LIFE)
        offset, size = (number - 1) * upload.part_bytes, upload.part_size(number)
        return PartUrl(number=number, offset=offset, size_bytes=size, url=url, expires_at=datetime.now(UTC) + _URL_LIFE)

    def _view(self, upload: Upload) -> UploadView:
        is_open = upload.state == "open"
        version = None
        if upload.version_id is not None:
            with UnitOfWork(self._engine) as tx:
                version = datasets.get_version(tx.connection, upload.version_id)
        present = self._parts(upload) if is_open else []
        numbers = [part.number for part in present if part.size == upload.part_size(part.number)]
        return UploadView.model_validate(
            {
                "id": upload.id,
                "name": upload.request.name,
                "filename": upload.request.filename,
                "state": upload.state,
                "size_bytes": upload.size_bytes,
                "part_bytes": upload.part_bytes,
                "part_count": upload.part_count,
                "parts": numbers if is_open else list(range(1, upload.part_count + 1)),
                "checked_bytes": min(upload.checked_bytes, upload.size_bytes),
                "version": version,
                "is_new": upload.is_new,
                "problem": None if upload.problem is None else Problem.model_validate(upload.problem),
                "created_at": upload.created_at,
                "expires_at": upload.touched_at + self._rules.silent if is_open else None,
            }
        )


def clear_staging(store: MultipartStore, upload: Upload) -> None:
    """Remove every object and part of an upload from the store. Idempotent."""
    folder = upload.object_key.rpartition("/")[0] + "/"
    store.abort_multipart(upload.object_key, upload.multipart_id)
    for under_way in list(store.multiparts(folder)):
        store.abort_multipart(under_way.key, under_way.upload_id)
    for found in list(store.list(folder)):
        store.delete(found.key)


def refuse_incomplete(upload: Upload, parts: list[Part]) -> None:
    """Raises Conflict unless every part is there in its size."""
    sizes = {part.number: part.size for part in parts}
    wrong = [number for number in range(1, upload.part_count + 1) if sizes.get(number) != upload.part_size(number)]
    if wrong:
        shown = ", ".join(map(str, wrong[:10])) + (", ..." if len(wrong) > 10 else "")
        message = f"{len(wrong)} of {upload.part_count} parts are missing or have another size: {shown}"
        hint = f"ask for their URLs: GET /api/datasets/uploads/{upload.id}/parts"
        raise Conflict(message, hint, [FieldError("parts", message, "missing")])


def _unknown(upload_id: str) -> NotFound:
    return NotFound(f"there is no upload {upload_id[:100]!r}", "it may have expired: begin again with POST")
