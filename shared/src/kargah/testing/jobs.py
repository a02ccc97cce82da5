"""Short ways to put jobs into a real database and look at them, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Concatenate, ParamSpec, TypeVar

from kargah.contracts.jobs import EventView, JobConfig, JobView, MetricPoint, MetricSeries
from kargah.db.engine import Connection, create_engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.ids import new_id
from kargah.jobstore import claim_repository, metric_repository, query_repository, submission_repository
from kargah.jobstore.values import Claim, NewJob

Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class JobBench:
    """Jobs in the database behind `url`. Each call is a transaction of its own; safe to use from many threads."""

    def __init__(self, url: str) -> None:
        self.engine = create_engine(url, application_name="kargah-tests")

    def do(
        self, function: Callable[Concatenate[Connection, Given], Answer], *args: Given.args, **options: Given.kwargs
    ) -> Answer:
        """Call a repository function and commit."""
        with UnitOfWork(self.engine) as tx:
            return function(tx.connection, *args, **options)

    def submit(self, name: str = "job", kind: str = "train", devices: int = 1, **fields: Any) -> str:
        """Queue a job; its id."""
        config = JobConfig(recipe="sft", output_model="made", params={}, devices=devices)
        new = NewJob(new_id("job"), kind, name, config, **fields)
        return self.do(submission_repository.insert_job, new)[0].id

    def claim(self, worker: str = "worker", lease_seconds: float = 60.0, kind: str = "train") -> Claim | None:
        return self.do(claim_repository.claim, [kind], worker, lease_seconds)

    def running(self, lease_seconds: float = 60.0) -> Claim:
        """A job that has just been taken."""
        job_id = self.submit()
        claim = self.claim(lease_seconds=lease_seconds)
        assert claim is not None and claim.job_id == job_id, "another job was waiting"
        return claim

    def get(self, job_id: str) -> JobView:
        return self.do(query_repository.get_job, job_id)

    def metrics(self, job_id: str, **chosen: Any) -> list[MetricPoint]:
        """As the API gives them."""
        points = self.do(metric_repository.points_json, job_id, **chosen)
        return MetricSeries.model_validate_json(f'{{"points":{points}}}').points

    def events(self, job_id: str, after: int = 0) -> list[EventView]:
        return self.do(query_repository.events_after, job_id, after)


@contextmanager
def job_bench(url: str) -> Iterator[JobBench]:
    """A bench whose connections are closed at the end."""
    bench = JobBench(url)
    try:
        yield bench
    finally:
        bench.engine.dispose()
