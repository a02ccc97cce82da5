"""`kargah dataset download`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from kargah.cli.context import DatasetArgument, ExitCode, JsonOption, complain, connect, console, print_json, versioned
from kargah.domain.wording import counted


def download(
    context: typer.Context,
    name: DatasetArgument,
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where the files go; made if there is none.")],
    version: Annotated[int | None, typer.Option(min=1, help="By default the latest.")] = None,
    json: JsonOption = False,
) -> None:
    """Write a dataset's rows as JSON lines: train.jsonl, and a file for each other split."""
    name, version = versioned(name, version)
    datasets = connect(context).datasets
    found = datasets.get(name, version=version).latest
    try:
        with Progress(console=console, transient=True, disable=json) as bar:
            task = bar.add_task(f"{name}@{found.version}", total=found.stats.size_bytes)
            paths = datasets.download(found, folder, on_bytes=lambda count: bar.advance(task, count))
    except OSError as error:
        complain(str(error), "file")
        raise typer.Exit(ExitCode.REFUSED) from error
    if json:
        print_json({"files": [str(path) for path in paths]})
    else:
        console.print(f"{counted(found.stats.rows, 'row')}: {', '.join(str(path) for path in paths)}", highlight=False)
