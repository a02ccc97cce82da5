"""One job, with all that a person asks about it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.markup import escape
from rich.table import Column, Table

from kargah.cli.context import console
from kargah.cli.follow import describe_failure
from kargah.cli.text import duration, figure
from kargah.contracts.jobs import JobView
from kargah.domain.job_state import Status
from kargah.domain.kinds import facts_of
from kargah.domain.wording import counted

_COLOURS = {
    Status.COMPLETED: "green",
    Status.ERROR: "red",
    Status.CANCELLED: "bright_black",
    Status.PAUSED: "yellow",
    Status.PENDING: "cyan",
}


def coloured(status: Status) -> str:
    """The status in its colour, as markup."""
    colour = _COLOURS.get(status, "blue")
    return f"[{colour}]{status.value}[/]"


def show(job: JobView) -> None:
    """Print the job: what it is, how far, how well, where, and what can be done with it now."""
    table = Table(Column(style="bold", no_wrap=True), Column(overflow="fold"), box=None, show_header=False)
    for name, value in _facts(job):
        table.add_row(name, value)
    console.print(table, highlight=False)
    if job.error is not None:
        console.print(describe_failure(job), style="red", highlight=False, markup=False)


def _facts(job: JobView) -> Iterator[tuple[str, str]]:
    yield "name", escape(job.name)
    yield "job", job.id
    wish = f", asked to {job.desired}" if job.desired.value != "run" else ""
    yield "status", f"{coloured(job.status)}{wish}"
    yield from _inputs(job)
    yield from _progress(job)
    yield "owner", f"{escape(job.owner)}, priority {job.priority}"
    yield from _times(job)
    if job.worker:
        yield "worker", f"{escape(job.worker)}, attempt {job.attempt}"
    yield from _afterwards(job)


def _inputs(job: JobView) -> Iterator[tuple[str, str]]:
    config = job.config
    yield "kind", f"{job.kind}, recipe {escape(config.recipe)}" if config.recipe != job.kind else job.kind
    if config.base_model is not None:
        yield "model", escape(f"{config.base_model.name} version {config.base_model.version}")
    if config.dataset is not None:
        yield "dataset", escape(f"{config.dataset.name} version {config.dataset.version}")
    made = config.output_model or config.output_dataset
    if made:
        yield "makes", escape(made)


def _progress(job: JobView) -> Iterator[tuple[str, str]]:
    progress = job.progress
    parts = [f"{progress.percent:.0f} %"]
    if progress.step is not None:
        parts.append(f"step {progress.step} of {progress.total_steps or '?'}")
    if progress.epoch is not None:
        parts.append(f"epoch {progress.epoch:.2f} of {'?' if progress.epochs is None else f'{progress.epochs:.3g}'}")
    if progress.to_evaluate and job.status is Status.EVALUATING:
        parts.append(f"{progress.evaluated} of {progress.to_evaluate} rows measured")
    if progress.eta_seconds and job.finished_at is None:
        parts.append(f"{duration(progress.eta_seconds)} left")
    yield "progress", ", ".join(parts)
    named = {"loss": progress.loss, "held-out loss": progress.eval_loss, "perplexity": progress.perplexity}
    figures = [f"{name} {figure(value, 3)}" for name, value in named.items() if value is not None]
    if figures:
        yield "figures", ", ".join(figures)


def _times(job: JobView) -> Iterator[tuple[str, str]]:
    yield "submitted", f"{job.created_at:%Y-%m-%d %H:%M:%S} UTC"
    parts = [f"for {duration(job.duration_seconds)}"] if job.duration_seconds is not None else []
    if job.started_at:
        parts.append(f"from {job.started_at:%H:%M:%S}")
    if job.finished_at:
        parts.append(f"to {job.finished_at:%H:%M:%S}")
    if parts:
        yield "ran", " ".join(parts) + (" UTC" if job.started_at else "")


def _afterwards(job: JobView) -> Iterator[tuple[str, str]]:
    if job.status is Status.COMPLETED and facts_of(job.kind).trains:
        yield "resume", interruptions(job) or "one attempt, no interruption"
        yield "chat", f"kargah chat {escape(str(job.config.output_model))}"
    if job.controls:
        yield "can", ", ".join(job.controls)


def interruptions(job: JobView) -> str | None:
    """What the resume record says of a job that took more than one attempt."""
    record = (job.result or {}).get("resume") or {}
    if record.get("attempts", 1) <= 1:
        return None
    whole = "continuous" if record["lossesContinuous"] else "NOT continuous"
    same = {True: ", the same losses again", False: ", with other losses"}.get(record["redoneIdentical"], "")
    return (
        f"{record['attempts']} attempts; {counted(record['stepsLost'], 'step')} done again{same}; the curve is {whole}"
    )
