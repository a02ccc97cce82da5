"""How far an upload is, on standard error, where somebody looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn

from kargah.cli.context import errors
from kargah.clients.upload_in_parts import Progress as OnProgress
from kargah.clients.upload_in_parts import Stage


@contextmanager
def upload_progress(quiet: bool) -> Iterator[OnProgress | None]:
    """What to call with stage, bytes done and bytes in all: a bar with speed and the time that is left; None when
    `quiet` or when standard error is no terminal."""
    if quiet or not errors.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description:9}"), BarColumn(), DownloadColumn(), SpeedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True) as bars:
        tasks: dict[Stage, TaskID] = {}

        def show(stage: Stage, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total, completed=done)
            bars.update(tasks[stage], completed=done)

        yield show
