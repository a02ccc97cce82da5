"""What a job leaves behind in the job store: events, metrics, log lines, lists; and what reading them costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from gateway.access.tables import metadata
from kargah.contracts.jobs import JobConfig, MetricPoint, RecipeView
from kargah.db.engine import Connection
from kargah.domain.errors import Conflict, NotFound
from kargah.domain.ids import new_id
from kargah.domain.job_state import Cause, Status
from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore import (
    checkpoint_repository,
    claim_repository,
    control_repository,
    query_repository,
    recipe_repository,
    stats_repository,
)
from kargah.jobstore.submission_repository import find_submitted, insert_job
from kargah.jobstore.values import (
    Batch,
    EventEntry,
    JobFilter,
    LogEntry,
    MetricValue,
    NewCheckpoint,
    NewJob,
)
from kargah.testing.jobs import JobBench, job_bench


@pytest.fixture
def bench(database_url_for: Callable[[str], str]) -> Iterator[JobBench]:
    with job_bench(database_url_for("gateway")) as bench:
        yield bench


def _losses(*steps: int, value: float = 1.0) -> Batch:
    return Batch(metrics=[MetricValue(step, "loss", value) for step in steps])


def test_the_migrations_make_the_tables_that_the_code_declares(bench: JobBench) -> None:
    with bench.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_server_default": True})
        differences = [one for one in compare_metadata(context, metadata) if "alembic_version" not in str(one)]
        indexes = sa.inspect(conn).get_indexes("jobs")
        checks = {check["name"] for check in sa.inspect(conn).get_check_constraints("jobs")}
    assert differences == []
    declared = {index.name for index in metadata.tables["jobs"].indexes}
    assert {index["name"] for index in indexes} == declared
    assert checks == {"jobs_status_known", "jobs_desired_known", "jobs_active_has_lease"}


def test_event_numbers_have_no_gaps_under_concurrency(bench: JobBench) -> None:
    claim = bench.running()
    batches = [Batch(events=[EventEntry("sample", {"n": n})], logs=[LogEntry("info", str(n))] * 2) for n in range(60)]

    def record(batch: Batch) -> None:
        bench.do(attempts.record, claim.job_id, 1, batch)

    def ask(_: int) -> None:
        bench.do(control_repository.request_checkpoint, claim.job_id)

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(record, batch) for batch in batches] + [pool.submit(ask, n) for n in range(10)]
        for one in done:
            one.result()
    events = bench.events(claim.job_id)
    assert [event.number for event in events] == list(range(1, 64))  # the ten wishes for a checkpoint are one
    log = bench.do(query_repository.log_tail, claim.job_id, 1000)
    assert [line.number for line in log.lines] == list(range(1, 121)) and log.total == 120


def test_a_rolled_back_write_leaves_no_gap(bench: JobBench) -> None:
    claim = bench.running()
    with pytest.raises(ValueError, match="not fields of Progress"):
        bench.do(attempts.record, claim.job_id, 1, Batch(progress={"wrong": 1}))
    bench.do(attempts.record, claim.job_id, 1, Batch(events=[EventEntry("sample")]))
    assert [event.number for event in bench.events(claim.job_id)] == [1, 2, 3]


def test_a_newer_attempt_replaces_what_it_does_again(bench: JobBench) -> None:
    first = bench.running()
    bench.do(attempts.record, first.job_id, 1, _losses(*range(1, 21)))
    bench.do(attempts.requeue, first.job_id, 1, "drained")
    assert bench.claim() is not None
    bench.do(attempts.record, first.job_id, 2, Batch(resumed_at_step=10))
    assert [point.step for point in _points(bench, first.job_id)] == list(range(1, 11))
    bench.do(attempts.record, first.job_id, 2, _losses(10, 11, 12, value=2.0))
    values = {point.step: point.value for point in _points(bench, first.job_id)}
    assert values == {**{step: 1.0 for step in range(1, 10)}, 10: 2.0, 11: 2.0, 12: 2.0}


def test_why_it_went_back_into_the_queue_is_told_by_a_code_too(bench: JobBench) -> None:
    claim = bench.running()
    bench.do(attempts.requeue, claim.job_id, 1, "the worker is shutting down", cause=Cause.SHUTTING_DOWN)
    told = bench.events(claim.job_id)[-1].data
    assert told == {"status": "pending", "reason": "the worker is shutting down", "cause": "shutting_down"}


def test_metrics_come_in_whole_steps(bench: JobBench) -> None:
    claim = bench.running()
    points = [MetricValue(step, name, float(step)) for step in range(1, 6) for name in ("loss", "grad_norm")]
    bench.do(attempts.record, claim.job_id, 1, Batch(metrics=points))
    page = bench.metrics(claim.job_id, after_step=1, steps=2)
    assert [(point.step, point.name) for point in page] == [
        (2, "grad_norm"),
        (2, "loss"),
        (3, "grad_norm"),
        (3, "loss"),
    ]
    assert {point.name for point in bench.metrics(claim.job_id, name="loss")} == {"loss"}


def test_metrics_keep_odd_names_and_every_digit(bench: JobBench) -> None:
    claim = bench.running()
    values = {'زیان "x"\\\n': 0.1 + 0.2, "tiny": 5e-324, "huge": -1.7976931348623157e308, "whole": 1e22}
    bench.do(attempts.record, claim.job_id, 1, Batch(metrics=[MetricValue(7, *each) for each in values.items()]))
    assert {point.name: point.value for point in _points(bench, claim.job_id)} == values
    assert all(point.at.tzinfo is not None and point.step == 7 for point in _points(bench, claim.job_id))
    assert bench.metrics(claim.job_id, after_step=7) == []


def test_a_flush_becomes_one_progress_event(bench: JobBench) -> None:
    claim = bench.running()
    batch = Batch(
        status=Status.TRAINING,
        progress={"percent": 12.5, "step": 5, "total_steps": 40},
        metrics=[
            MetricValue(5, "loss", 2.5),
            MetricValue(5, "grad_norm", float("nan")),
            MetricValue(5, "eval_accuracy", 0.5),
        ],
    )
    bench.do(attempts.record, claim.job_id, 1, batch)
    status, progress = bench.events(claim.job_id, after=2)
    assert (status.type, status.data) == ("status", {"status": "training"})
    assert progress.data["progress"] == {
        "percent": 12.5, "step": 5, "totalSteps": 40, "loss": 2.5, "accuracy": 0.5,
    }  # fmt: skip
    assert progress.data["notFinite"] == ["grad_norm"]
    assert {point.name for point in _points(bench, claim.job_id)} == {"loss", "eval_accuracy"}
    job = bench.get(claim.job_id)
    assert (job.status, job.progress.percent, job.progress.loss) == (Status.TRAINING, 12.5, 2.5)


def test_text_that_no_database_holds_is_made_storable(bench: JobBench) -> None:
    claim = bench.running()
    bad = "a\0b\ud800c" + "x" * 20_000
    batch = Batch(logs=[LogEntry("info", bad)], events=[EventEntry("sample", {"text": bad, "value": float("inf")})])
    bench.do(attempts.record, claim.job_id, 1, batch)
    (line,) = bench.do(query_repository.log_tail, claim.job_id, 10).lines
    assert line.message.startswith("a\ufffdb\ufffdcxxx") and len(line.message) == 16_384
    assert bench.events(claim.job_id)[-1].data["value"] is None


def test_the_same_checkpoint_again_replaces_its_row(bench: JobBench) -> None:
    claim = bench.running()
    for reason in ("interval", "pause"):
        new = NewCheckpoint(10, 0.5, 2 << 40, reason, "jobs/x/checkpoints/10-1")
        bench.do(attempts.commit_checkpoint, claim.job_id, 1, new)
    (view,) = bench.do(checkpoint_repository.list_checkpoints, claim.job_id)
    assert (view.reason, view.size_bytes, view.attempt) == ("pause", 2 << 40, 1)
    bench.do(attempts.drop_checkpoint, claim.job_id, 1, view.id, "damaged: model.safetensors")
    assert bench.do(attempts.restorable, claim.job_id) == []
    assert bench.events(claim.job_id)[-1].type == "checkpoint_dropped"


def test_the_furthest_checkpoint_is_restored_first(bench: JobBench) -> None:
    claim = bench.running()
    for step in (30, 10, 20):
        bench.do(attempts.commit_checkpoint, claim.job_id, 1, NewCheckpoint(step, 1.0, 1, "interval", f"k/{step}"))
    assert [one.step for one in bench.do(attempts.restorable, claim.job_id)] == [30, 20, 10]


def test_a_page_of_jobs_goes_on_where_the_last_ended(bench: JobBench) -> None:
    submitted = [bench.submit(f"job {number}") for number in range(7)]
    found, cursor = [], None
    while True:
        page, cursor = bench.do(query_repository.list_jobs, JobFilter(), cursor, 3)
        found += [job.id for job in page]
        if cursor is None:
            break
    assert found == submitted[::-1]


def test_filters_narrow_the_list(bench: JobBench) -> None:
    persian = bench.submit("آموزش پرسش و پاسخ 100%")
    bench.submit("other", kind="install")
    bench.do(control_repository.cancel, persian)
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    for filters, count in (
        (JobFilter(kind="train"), 1),
        (JobFilter(status=Status.CANCELLED), 1),
        (JobFilter(name_contains="پرسش"), 1),
        (JobFilter(name_contains="0%"), 1),
        (JobFilter(name_contains="%x"), 0),
        (JobFilter(name_contains="OTHER"), 1),
        (JobFilter(created_after=now - hour, created_before=now + hour), 2),
        (JobFilter(created_after=now + hour), 0),
        (JobFilter(created_before=now - hour), 0),
    ):
        assert len(bench.do(query_repository.list_jobs, filters)[0]) == count, filters
        assert bench.do(query_repository.count_jobs, filters) == count


def test_an_idempotency_key_makes_one_job(bench: JobBench) -> None:
    def submit(digest: str = "same") -> tuple[str, bool]:
        config = JobConfig(recipe="sft", output_model="x", params={})
        new = NewJob(new_id("job"), "train", "n", config, idempotency_key="key", idempotency_digest=digest)
        job, created = bench.do(insert_job, new)
        return job.id, created

    with ThreadPoolExecutor(6) as pool:
        answers = [one.result() for one in [pool.submit(submit) for _ in range(6)]]
    assert len({job_id for job_id, _ in answers}) == 1
    assert sorted(created for _, created in answers) == [False] * 5 + [True]
    assert bench.do(find_submitted, "local", "key", "same") == answers[0][0]
    with pytest.raises(Conflict):
        submit("different")


def test_recipes_are_replaced_by_name_and_ordered_by_rank(bench: JobBench) -> None:
    recipe = RecipeView(
        name="sft", title="old", description="", model_kinds=["causal_lm"], formats=[], rank=5, params_schema={}
    )
    better = recipe.model_copy(update={"name": "better", "rank": 1})
    bench.do(recipe_repository.publish, [recipe])
    bench.do(recipe_repository.publish, [better, recipe.model_copy(update={"title": "new"})])
    listed = bench.do(recipe_repository.list_recipes)
    assert [(one.name, one.title) for one in listed] == [("better", "old"), ("sft", "new")]


def test_the_queue_is_counted(bench: JobBench) -> None:
    bench.running()
    bench.submit()
    bench.submit(kind="install")
    state = bench.do(stats_repository.queue_state)
    assert state.counts == {("preparing", "train"): 1, ("pending", "train"): 1, ("pending", "install"): 1}
    assert state.depth == {"train": 1, "install": 1}
    assert all(0 <= seconds < 60 for seconds in state.oldest_wait_seconds.values())


def test_an_unknown_job_is_not_found(bench: JobBench) -> None:
    with pytest.raises(NotFound):
        bench.do(query_repository.get_job, "job_x")
    assert bench.do(query_repository.tails, ["job_x"]) == {}
    with pytest.raises(NotFound):
        bench.do(query_repository.log_tail, "job_x", 10)


_READS: dict[str, Callable[[Connection], object]] = {
    "claim": lambda conn: claim_repository.claim(conn, ["train", "install"], "worker", 60),
    "expire": lambda conn: claim_repository.expire_leases(conn),
    "ring": lambda conn: claim_repository.pending_to_ring(conn, overdue_seconds=0),
    "list": lambda conn: query_repository.list_jobs(conn, JobFilter(kind="train")),
    "list waiting": lambda conn: query_repository.list_jobs(conn, JobFilter(status=Status.PENDING)),
    "count waiting": lambda conn: query_repository.count_jobs(conn, JobFilter(status=Status.PENDING)),
}


def test_claiming_and_listing_do_not_read_finished_jobs(bench: JobBench) -> None:
    bench.do(_add_finished, 20_000)
    for _ in range(12):  # often enough for a prepared statement to be planned without its parameters
        bench.submit("waiting")
        for name, read in _READS.items():
            # Of 20,000 finished ones; the allowance is for the catalogue, which any connection may read.
            assert bench.do(_rows_read, read) <= 1000, name


def _add_finished(conn: Connection, count: int) -> None:
    conn.execute(
        sa.text(
            "INSERT INTO jobs (id, kind, name, status, config, created_at, finished_at) "
            "SELECT 'job_' || n, 'train', 'old', 'completed', CAST(:config AS jsonb), "
            "now() - n * interval '1 s', now() "
            "FROM generate_series(1, :count) AS n"
        ),
        {"count": count, "config": '{"recipe": "sft", "outputModel": "x", "params": {}}'},
    )
    conn.execute(sa.text("ANALYZE jobs"))


def _rows_read(conn: Connection, read: Callable[[Connection], object]) -> int:
    """Rows of `jobs` that Postgres looked at within this transaction."""
    read(conn)
    table = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'jobs'"
    return int(conn.execute(sa.text(table)).scalar_one())


def _points(bench: JobBench, job_id: str) -> list[MetricPoint]:
    return bench.metrics(job_id)
