"""`kargah download`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from kargah.cli.context import ExitCode, JsonOption, complain, connect, console, print_json
from kargah.cli.control_commands import CheckpointOption
from kargah.cli.job_commands import JobArgument, resolve
from kargah.cli.text import size
from kargah.domain.wording import counted


def download(
    context: typer.Context,
    job_id: JobArgument,
    folder: Annotated[
        Path | None,
        typer.Argument(file_okay=False, help="Where the files go; by default JOB-step-N, here."),
    ] = None,
    checkpoint: CheckpointOption = None,
    step: Annotated[int | None, typer.Option(min=0, help="The checkpoint of this step; else the furthest.")] = None,
    json: JsonOption = False,
) -> None:
    """Download a job's checkpoint, each file checked against its sha256; asked again, a broken one goes on."""
    if checkpoint is not None and step is not None:
        raise typer.BadParameter("give --checkpoint or --step, not both")
    client = connect(context)
    jobs, job = client.jobs, resolve(client, job_id)
    try:
        found = jobs.checkpoint_files(job, checkpoint or jobs.furthest_checkpoint(job, step).id).checkpoint
        folder = folder or Path(f"{job}-step-{found.step}")
        with _bar(json) as bar:
            task = bar.add_task(f"step {found.step}", total=found.size_bytes)
            paths = jobs.download_checkpoint(
                job, folder, checkpoint=found.id, on_bytes=lambda count: bar.advance(task, count)
            )
    except LookupError as error:
        complain(str(error), "not_found")
        raise typer.Exit(ExitCode.REFUSED) from error
    except OSError as error:
        complain(str(error), "file")
        raise typer.Exit(ExitCode.REFUSED) from error
    if json:
        print_json({"checkpoint": found.id, "step": found.step, "files": [str(path) for path in paths]})
    else:
        told = f"Step {found.step}: {counted(len(paths), 'file')}, {size(found.size_bytes)}, in {folder}"
        console.print(told, highlight=False, soft_wrap=True)


def _bar(quiet: bool) -> Progress:
    moving = (DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(
        TextColumn("{task.description}"), BarColumn(), *moving, console=console, transient=True, disable=quiet
    )
