"""What the job routes do: one transaction per request, the bell after the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from gateway.jobs import forks
from gateway.jobs.accepted import Accepted, digest_of, insert, known_one, new_job
from gateway.jobs.draft import Draft
from gateway.jobs.evaluations import evaluation_draft
from gateway.jobs.exports import export_draft
from gateway.jobs.imports import import_draft
from gateway.jobs.installs import install_draft
from gateway.jobs.pushes import push_draft
from gateway.jobs.queries import (
    EvaluationCreate,
    ExportCreate,
    ImportCreate,
    InstallCreate,
    JobListQuery,
    LogQuery,
    MetricQuery,
    PushCreate,
    TrainListQuery,
)
from gateway.jobs.recipe_book import RecipeBook
from gateway.jobs.resolve import Installed, resolve
from gateway.jobs.room import Room
from gateway.jobs.whose import owner_of, priority_of
from gateway.ringer import Ringer
from kargah.contracts.base import Page
from kargah.contracts.jobs import (
    AttemptView,
    CheckpointView,
    ExtendRequest,
    JobCreate,
    JobUpdate,
    JobView,
    LogLine,
    LogPage,
    QueuedRequest,
    RecipeView,
    RestartRequest,
    ResumeRequest,
)
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.job_state import Status
from kargah.domain.kinds import Kind
from kargah.jobstore import (
    checkpoint_repository,
    control_repository,
    metric_repository,
    query_repository,
)
from kargah.jobstore.values import JobCursor, JobFilter
from kargah.web.paging import bad_cursor, decode_cursor, encode_cursor

CONTROLS: Mapping[str, Callable[[Connection, str], None]] = {
    "cancel": control_repository.cancel,
    "pause": control_repository.request_pause,
    "stop": control_repository.request_stop,
    "checkpoint": control_repository.request_checkpoint,
}
_LOG_PAGE = 1000


class JobService:
    """Jobs of all kinds. Methods with a `kind` see only jobs of that kind, None sees all."""

    def __init__(
        self,
        engine: Engine,
        ringer: Ringer,
        installed: Installed,
        usually_waiting: int | None = None,
        room: Room | None = None,
    ) -> None:
        """`usually_waiting`: how many jobs may wait of a project without a limit of its own; None: any number. `room`:
        for what jobs make; None: there always is."""
        self._engine = engine
        self._ringer = ringer
        self._installed = installed
        self._usually_waiting = usually_waiting
        self._room = room or Room(lambda what: None)
        self._recipes = RecipeBook(engine)

    def submit(self, create: JobCreate, idempotency_key: str | None = None) -> Accepted:
        """Queue a training job. Raises Invalid, Conflict, Unavailable."""
        if not create.name.strip():
            raise Invalid("One field is not acceptable: name.", errors=[FieldError("name", "Must not be blank.")])
        return self._accept(
            Kind.TRAIN, create, idempotency_key, lambda: Draft(create.name, resolve(create, *self._offered()))
        )

    def evaluate(self, create: EvaluationCreate, idempotency_key: str | None = None) -> Accepted:
        """Queue the measuring of a model. Raises Invalid, Conflict, Unavailable."""
        return self._accept(Kind.EVALUATE, create, idempotency_key, lambda: evaluation_draft(create, *self._offered()))

    def export(self, create: ExportCreate, idempotency_key: str | None = None) -> Accepted:
        """Queue the merging of an adapter into its base. Raises Invalid, Conflict, Unavailable."""
        return self._accept(Kind.EXPORT, create, idempotency_key, lambda: export_draft(create, self._installed))

    def push(self, create: PushCreate, idempotency_key: str | None = None) -> Accepted:
        """Queue the sending of a model to a hub. Raises Invalid, Conflict, Unavailable."""
        return self._accept(Kind.PUSH, create, idempotency_key, lambda: push_draft(create, self._installed))

    def install(self, create: InstallCreate, idempotency_key: str | None = None) -> Accepted:
        """Queue the installation of a base model. Raises Invalid, Conflict, Unavailable."""
        return self._accept(Kind.INSTALL, create, idempotency_key, lambda: install_draft(create))

    def import_dataset(self, create: ImportCreate, idempotency_key: str | None = None) -> Accepted:
        """Queue the making of a dataset from a packaged corpus. Raises Invalid, Conflict, Unavailable."""
        return self._accept(Kind.IMPORT, create, idempotency_key, lambda: import_draft(create))

    def get(self, job_id: str, kind: str | None = None) -> JobView:
        """Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            return query_repository.get_job(tx.connection, job_id, kind=kind)

    def list(self, query: TrainListQuery, kind: str | None = None) -> Page[JobView]:
        """One page, newest first."""
        if isinstance(query, JobListQuery):
            kind = query.kind
        filters = JobFilter(kind, query.status, query.name, query.created_after, query.created_before)
        with UnitOfWork(self._engine) as tx:
            items, further = query_repository.list_jobs(tx.connection, filters, _cursor(query.cursor), query.limit)
            total = query_repository.count_jobs(tx.connection, filters)
        cursor = None if further is None else encode_cursor(further.created_at.isoformat(), further.id)
        return Page[JobView](items=items, next_cursor=cursor, total=total)

    def control(self, job_id: str, action: str, kind: str | None = None) -> JobView:
        """One of CONTROLS; the job afterwards. Raises NotFound, or Conflict with the controls that are legal."""
        return self._change(job_id, kind, CONTROLS[action])

    def resume(self, job_id: str, request: ResumeRequest, kind: str | None = None) -> JobView:
        """Queue a paused job again. Raises NotFound, Invalid, Conflict."""
        return self._change(
            job_id, kind, lambda conn, found: control_repository.request_resume(conn, found, request.checkpoint)
        )

    def update(self, job_id: str, update: JobUpdate, kind: str | None = None) -> JobView:
        """Change a job's priority. Raises NotFound, Conflict."""
        return self._change(
            job_id, kind, lambda conn, found: control_repository.change_priority(conn, found, update.priority)
        )

    def restart(self, job_id: str, request: RestartRequest, kind: str | None, key: str | None) -> Accepted:
        """Queue a new job like this one. Raises NotFound, Invalid, Conflict."""
        return self._fork(job_id, "restart", kind, key, request, lambda conn, job: forks.restarted(conn, job, request))

    def extend(self, job_id: str, request: ExtendRequest, kind: str | None, key: str | None) -> Accepted:
        """Queue a new job that goes on where this one ended. Raises NotFound, Invalid, Conflict."""
        recipes = self._recipes.current()
        return self._fork(
            job_id, "extend", kind, key, request, lambda conn, job: forks.extended(conn, job, request, recipes)
        )

    def pin(self, job_id: str, checkpoint_id: str, pinned: bool, kind: str | None = None) -> CheckpointView:
        """Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            return checkpoint_repository.pin(tx.connection, job_id, checkpoint_id, pinned)

    def logs(self, job_id: str, query: LogQuery, kind: str | None = None) -> LogPage:
        """The last lines. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            return query_repository.log_tail(tx.connection, job_id, query.limit)

    def whole_log(self, job_id: str) -> Iterator[LogLine]:
        """Every line, read page by page so that no transaction lasts."""
        last = 0
        while True:
            with UnitOfWork(self._engine) as tx:
                lines = query_repository.log_lines_after(tx.connection, job_id, last, _LOG_PAGE)
            yield from lines
            if len(lines) < _LOG_PAGE:
                return
            last = lines[-1].number

    def metrics(self, job_id: str, query: MetricQuery, kind: str | None = None) -> bytes:
        """A MetricSeries as JSON, as the database made it: there may be hundreds of thousands. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            points = metric_repository.points_json(
                tx.connection, job_id, name=query.name, after_step=query.after_step, steps=query.limit
            )
        return f'{{"points":{points}}}'.encode()

    def checkpoints(self, job_id: str, kind: str | None = None) -> Page[CheckpointView]:
        """All committed ones, newest first. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            items = checkpoint_repository.list_checkpoints(tx.connection, job_id)
        return Page[CheckpointView](items=items, total=len(items))

    def attempts(self, job_id: str, kind: str | None = None) -> Page[AttemptView]:
        """All attempts, newest first. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            items = query_repository.list_attempts(tx.connection, job_id)
        return Page[AttemptView](items=items, total=len(items))

    def recipes(self) -> Page[RecipeView]:
        """What workers have published, in the order of the automatic choice."""
        items = list(self._recipes.current())
        return Page[RecipeView](items=items, total=len(items))

    def _change(self, job_id: str, kind: str | None, change: Callable[[Connection, str], None]) -> JobView:
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            change(tx.connection, job_id)
            job = query_repository.get_job(tx.connection, job_id)
        if job.status is Status.PENDING:
            self._ringer.soon(job.id, job.kind)
        return job

    def _fork(
        self,
        job_id: str,
        control: str,
        kind: str | None,
        key: str | None,
        request: RestartRequest | ExtendRequest,
        draft_of: Callable[[Connection, JobView], Draft],
    ) -> Accepted:
        digest, like = digest_of(control, {"job": job_id, **request.model_dump(mode="json")}), self.get(job_id, kind)
        if (known := self._known(like.owner, key, digest)) is not None:
            return known
        self._room.require(like.kind)
        with UnitOfWork(self._engine) as tx:
            if (known := known_one(tx.connection, like.owner, key, digest)) is not None:
                return known
            control_repository.require(control_repository.lock_job(tx.connection, job_id), control)
            job = query_repository.get_job(tx.connection, job_id)
            new = new_job(job.kind, draft_of(tx.connection, job), priority_of(job), key, digest, job.owner)
            accepted = insert(tx.connection, new, self._usually_waiting)
        return self._rung(accepted)

    def _offered(self) -> tuple[Sequence[RecipeView], Installed]:
        return self._recipes.current(), self._installed

    def _accept(self, kind: Kind, create: QueuedRequest, key: str | None, draft: Callable[[], Draft]) -> Accepted:
        digest, owner = digest_of(kind, create.model_dump(mode="json")), owner_of(create)
        if (known := self._known(owner, key, digest)) is not None:
            return known
        self._room.require(kind)
        new = new_job(kind, draft(), priority_of(create), key, digest, owner)
        with UnitOfWork(self._engine) as tx:
            accepted = insert(tx.connection, new, self._usually_waiting)
        return self._rung(accepted)

    def _known(self, owner: str, key: str | None, digest: str) -> Accepted | None:
        if key is None:
            return None
        with UnitOfWork(self._engine) as tx:
            return known_one(tx.connection, owner, key, digest)

    def _rung(self, accepted: Accepted) -> Accepted:
        if accepted.created:
            self._ringer.soon(accepted.job.id, accepted.job.kind)
        return accepted


def _cursor(text: str | None) -> JobCursor | None:
    if text is None:
        return None
    moment, job_id = decode_cursor(text, str, str)
    try:
        return JobCursor(datetime.fromisoformat(str(moment)), str(job_id))
    except ValueError as error:
        raise bad_cursor() from error
