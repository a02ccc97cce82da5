"""Watch a job in the terminal: a live bar with an estimate, and what it says on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import typer
from rich.progress import BarColumn, Progress, ProgressColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

from kargah.cli.context import ExitCode, complain, console, errors, is_wide
from kargah.cli.refusals import speaks_json
from kargah.cli.text import duration, figure, sentences
from kargah.clients.client import Client
from kargah.contracts.jobs import JobView
from kargah.domain.job_state import TERMINAL, Status

_REFRESH_SECONDS = 1.0


def follow(
    client: Client,
    job: JobView,
    *,
    quiet: bool = False,
    on_event: Callable[[str, dict[str, Any]], None] | None = None,
) -> JobView:
    """Block until the job has ended (or is paused), drawing a bar unless `quiet`; the job as it then is."""
    job_id = job.id
    with _bar(quiet) as bar:
        task = bar.add_task(job.name, total=100.0, figures="waiting for a worker")
        watcher = _start_watcher(client, job, on_event) if on_event else None
        pause = threading.Event()
        while job.status not in TERMINAL and job.status is not Status.PAUSED:
            pause.wait(_REFRESH_SECONDS)
            job = client.transport.patiently(lambda: client.jobs.get(job_id))
            bar.update(task, completed=job.progress.percent, figures=figures_of(job))
        if job.status is Status.COMPLETED:
            bar.update(task, completed=100.0, figures=figures_of(job))
        if watcher is not None:
            watcher.join(timeout=10.0)
    return job


def announce(job: JobView) -> None:
    """Say, on standard error, what the job is called, before it is followed."""
    if not speaks_json():
        errors.print(f"Job {job.id}; Ctrl-C leaves it running, `kargah cancel {job.id}` ends it.", highlight=False)


def insist(job: JobView) -> JobView:
    """The job, completed; otherwise say why not and end the command."""
    if job.status is not Status.COMPLETED:
        complain(describe_failure(job), "job_failed")
        raise typer.Exit(ExitCode.JOB_FAILED)
    return job


def describe_failure(job: JobView) -> str:
    """One sentence for a job that did not complete."""
    if job.error is None:
        return f"{job.name} is {job.status}"
    return f"{job.name} ended in {job.status}: {sentences(job.error.message, job.error.hint)}"


def _bar(quiet: bool) -> Progress:
    """One line, also in a terminal of 80 columns: there the name is cut, and the estimate stands for the time."""
    wide = is_wide()
    name = Column(no_wrap=True, overflow="ellipsis", max_width=30 if wide else 14)
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", style="bold", markup=False, table_column=name),
        BarColumn(bar_width=28 if wide else 8),
        TaskProgressColumn(),
        TextColumn("{task.fields[figures]}", markup=False, table_column=Column(no_wrap=True)),
    ]
    return Progress(*columns, *([TimeElapsedColumn()] if wide else []), console=console, disable=quiet)


def _start_watcher(client: Client, job: JobView, on_event: Callable[[str, dict[str, Any]], None]) -> threading.Thread:
    """Hand the job's events to `on_event` from a thread of their own."""

    def watch() -> None:
        for event in client.jobs.watch(job.id):
            on_event(event.event, event.data)

    thread = threading.Thread(target=watch, name="job-events", daemon=True)
    thread.start()
    return thread


def _at(job: JobView) -> str:
    """What it is at: `evaluating 12/29`, or `saving` where the status has no name for it."""
    progress = job.progress
    if progress.phase == "saving" and job.status not in TERMINAL:
        return "saving"
    if progress.to_evaluate and job.status is Status.EVALUATING:
        return f"{job.status} {progress.evaluated}/{progress.to_evaluate}"
    return str(job.status)


def figures_of(job: JobView) -> str:
    """What a job is at, as the bar says it."""
    progress = job.progress
    if job.status is Status.PENDING:
        return "waiting for a worker"
    parts = [_at(job)]
    if progress.step is not None and progress.to_evaluate is None:
        parts.append(f"{progress.step}/{progress.total_steps or '?'}")
    if progress.loss is not None:
        parts.append(f"loss {figure(progress.loss, 3)}")
    if progress.eta_seconds is not None and job.status is not Status.COMPLETED:
        parts.append(f"{duration(progress.eta_seconds)} left")
    return " · ".join(parts)
