"""How far an upload, a repair or a split is, on standard error, where somebody looks at it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import TransferSpeedColumn as SpeedColumn

from kargah.cli.context import errors
from kargah.clients.changes import OnChange
from kargah.clients.upload_in_parts import Progress as OnProgress
from kargah.clients.upload_in_parts import Stage
from kargah.contracts.changes import ChangeView


@contextmanager
def upload_progress(quiet: bool) -> Iterator[OnProgress | None]:
    """What to call with stage, bytes done and bytes in all: a bar with speed and the time that is left; None when
    `quiet` or when standard error is no terminal."""
    if quiet or not errors.is_terminal:
        yield None
        return
    with _bars() as bars:
        tasks: dict[Stage, TaskID] = {}

        def show(stage: Stage, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total, completed=done)
            bars.update(tasks[stage], completed=done)

        yield show


@contextmanager
def change_progress(quiet: bool) -> Iterator[OnChange | None]:
    """The same for a repair or a split. After Ctrl-C it says how to find it again: it goes on in the platform."""
    seen: list[ChangeView] = []
    try:
        if quiet or not errors.is_terminal:
            yield seen.append
            return
        with _bars() as bars:
            task = bars.add_task("waiting", total=None)

            def show(change: ChangeView) -> None:
                seen.append(change)
                bars.update(task, description=change.state, completed=change.done_bytes, total=change.total_bytes)

            yield show
    except KeyboardInterrupt:
        if seen:
            errors.print(f"It goes on. See or end it: kargah dataset changes {seen[-1].id} [--cancel]", markup=False)
        raise


def _bars() -> Progress:
    columns = (TextColumn("{task.description:9}"), BarColumn(), DownloadColumn(), SpeedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=errors, transient=True)
