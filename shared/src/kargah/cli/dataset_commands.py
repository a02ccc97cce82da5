"""`kargah dataset ...`"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Column, Table

from kargah.cli.changes_command import changes
from kargah.cli.context import (
    DatasetArgument,
    JsonOption,
    YesOption,
    connect,
    console,
    make_sure,
    print_json,
    versioned,
)
from kargah.cli.dataset_download_command import download
from kargah.cli.follow import follow, insist
from kargah.cli.preview_command import preview
from kargah.cli.repair_command import repair
from kargah.cli.split_command import show_splits, split
from kargah.cli.stats_command import stats
from kargah.cli.text import size
from kargah.cli.token_view import show_tokens
from kargah.cli.upload_progress import upload_progress
from kargah.cli.warnings_view import show_warnings
from kargah.clients.datasets import default_name, import_name
from kargah.contracts.datasets import DatasetVersionView
from kargah.contracts.tokens import MOST_COUNTED, RowsWanted
from kargah.domain.wording import counted

app = typer.Typer(no_args_is_help=True, help="Upload, list and look into datasets.")
NameArgument = Annotated[str, typer.Argument(help="The dataset's name.")]
FormatOption = Annotated[str | None, typer.Option(help="The row format; recognised by default.")]
MapOption = Annotated[list[str] | None, typer.Option(help="field=column, repeatable: --map question=سوال")]


@app.command()
def upload(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            exists=True, dir_okay=False, readable=True, help="JSONL, JSON, CSV, their .gz or .zst, Parquet."
        ),
    ],
    name: Annotated[str | None, typer.Option(help="Its name; by default the file's.")] = None,
    format: FormatOption = None,
    map: MapOption = None,
    json: JsonOption = False,
) -> None:
    """Upload a file; its rows are checked before anything is kept. A large one that breaks off (Ctrl-C, a lost
    connection) goes on where it was when the command is given again."""
    columns = dict(_pair(entry) for entry in map or [])
    name = name or _default(lambda: default_name(file))
    datasets = connect(context).datasets
    with upload_progress(json) as progress:
        version = datasets.upload(file, name=name, format=format, columns=columns, on_progress=progress)
    if json:
        print_json(version)
    else:
        _describe(version)


@app.command("import")
def import_dataset(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(help="URL, s3://STORE/KEY, hf:OWNER/NAME\\[@REVISION][:FILE or SPLIT], or `chatterbot`.")
    ],
    name: Annotated[str | None, typer.Option(help="Its name; by default the source's.")] = None,
    language: Annotated[str, typer.Option(help="Of `chatterbot`.")] = "persian",
    format: FormatOption = None,
    map: MapOption = None,
    json: JsonOption = False,
) -> None:
    """Make a dataset from elsewhere, as a job that can be cancelled and goes on after a break; wait until it is there.

    Which hosts and stores may be read is the workers' setting."""
    name = name or _default(lambda: import_name(source, language))
    client = connect(context)
    columns = dict(_pair(entry) for entry in map or [])
    job = client.jobs.import_dataset(source, name, language=language, format=format, columns=columns)
    insist(follow(client, job, quiet=json))
    version = client.datasets.get(name).latest
    if json:
        print_json(version)
    else:
        _describe(version)


@app.command("list")
def list_datasets(context: typer.Context, json: JsonOption = False) -> None:
    """List the installed datasets."""
    page = connect(context).datasets.list(limit=100)
    if json:
        print_json(page)
        return
    if not page.items:
        console.print("No dataset is installed. Add one: kargah dataset upload FILE")
        return
    fixed = [Column(title, no_wrap=True) for title in ("version", "format", "rows", "size")]
    table = Table(Column("name", overflow="fold"), *fixed, box=SIMPLE)
    for dataset in page.items:
        latest = dataset.latest
        table.add_row(
            dataset.name, str(latest.version), latest.format, f"{latest.stats.rows:,}", size(latest.stats.size_bytes)
        )
    console.print(table)


@app.command()
def versions(
    context: typer.Context,
    name: NameArgument,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    json: JsonOption = False,
) -> None:
    """List the versions of a dataset, newest first, and what each was made from."""
    page = connect(context).datasets.versions(name, limit=limit)
    if json:
        print_json(page)
        return
    table = Table("version", "format", "rows", "size", "made", "of", box=SIMPLE, padding=(0, 1, 0, 0))
    for version in page.items:
        made = f"{version.created_at:%Y-%m-%d %H:%M}"
        figures = (f"{version.stats.rows:,}", size(version.stats.size_bytes))
        table.add_row(str(version.version), version.format, *figures, made, escape(_origin(version)))
    console.print(table)


for command in (preview, stats, split, repair, changes, download):
    app.command()(command)


@app.command()
def show(
    context: typer.Context,
    name: DatasetArgument,
    tokens: Annotated[bool, typer.Option("--tokens", help="Show what --model would be trained on instead.")] = False,
    model: Annotated[str | None, typer.Option(help="With --tokens: the base model.")] = None,
    row: Annotated[int, typer.Option(min=1, help="With --tokens: the row to show, counted from 1.")] = 1,
    max_length: Annotated[int | None, typer.Option(min=8, help="With --tokens: as of the job.")] = None,
    sample: Annotated[int, typer.Option(min=0, max=MOST_COUNTED, help="With --tokens: rows to count.")] = 2000,
    recipe: Annotated[str | None, typer.Option(help="With --tokens: by default the one a job would get.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="By default the latest.")] = None,
    json: JsonOption = False,
) -> None:
    """Show a dataset's statistics and warnings; with --tokens, what a model would be trained on."""
    name, version = versioned(name, version)
    if tokens:
        if model is None:
            raise typer.BadParameter("name the base model, for example smollm2", param_hint="--model")
        answer = connect(context).datasets.tokens(
            name,
            model,
            rows=RowsWanted(offset=row - 1),
            version=version,
            recipe=recipe,
            max_length=max_length,
            sample=sample,
        )
        print_json(answer) if json else show_tokens(answer)
        return
    dataset = connect(context).datasets.get(name, version=version)
    if json:
        print_json(dataset)
    else:
        _describe(dataset.latest)


@app.command()
def delete(context: typer.Context, name: DatasetArgument, yes: YesOption = False, json: JsonOption = False) -> None:
    """Delete a dataset and all its versions, or NAME@2 alone: refused while a job, or a version made from it, needs
    it."""
    bare, version = versioned(name, None)
    make_sure(f"Delete {name}?" if version else f"Delete the dataset {name} and all its versions?", yes)
    connect(context).datasets.delete(bare, version=version)
    if json:
        print_json({"deleted": name})
    else:
        console.print(f"Deleted {name}.")


def _default(name: Callable[[], str]) -> str:
    try:
        return name()
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--name") from error


def _origin(version: DatasetVersionView) -> str:
    """What a version was made from: a file, or another version and what was done with it."""
    if version.lineage is None:
        return version.source_filename or "-"
    done = [f"repaired ({', '.join(version.lineage.repairs)})"] if version.lineage.repairs else []
    divided = ["divided"] if version.splits is not None else []
    return f"version {version.lineage.version}, {' and '.join(done + divided) or 'made anew'}"


def _pair(entry: str) -> tuple[str, str]:
    field, separator, column = entry.partition("=")
    if not (field and separator and column):
        raise typer.BadParameter(f"{entry!r} is not field=column", param_hint="--map")
    return field, column


def _describe(version: DatasetVersionView) -> None:
    stats = version.stats
    rows = counted(stats.rows, "row")
    console.print(
        f"[green]{version.dataset}[/] version {version.version}: {rows} of format {version.format}, "
        f"{size(stats.size_bytes)}, fields {escape(', '.join(stats.fields))}",
        highlight=False,
    )
    show_splits(version)
    show_warnings(version)
