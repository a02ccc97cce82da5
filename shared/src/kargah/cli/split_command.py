"""`kargah dataset split`: rows to train on, to hold out and to test with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.box import SIMPLE
from rich.table import Column, Table

from kargah.cli.context import DatasetArgument, JsonOption, connect, console, print_json, versioned
from kargah.cli.text import size
from kargah.cli.upload_progress import change_progress
from kargah.cli.warnings_view import show_warnings
from kargah.clients.client import Client
from kargah.contracts.datasets import DatasetVersionView, HashSplit, SplitParts, SplitRequest
from kargah.domain.splits import SPLITS, TRAIN, split_named


def split(
    context: typer.Context,
    name: DatasetArgument,
    test: Annotated[str | None, typer.Option(help="Share of the rows to test with: 10% or 0.1.")] = None,
    validation: Annotated[str | None, typer.Option(help="Share of the rows to hold out while training.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed chooses other rows.")] = 0,
    column: Annotated[str | None, typer.Option(help="Or the column that names each row's split.")] = None,
    split: Annotated[list[str] | None, typer.Option(help="Or a file for each: --split train=a --split test=b")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="Which version; by default the latest.")] = None,
    json: JsonOption = False,
) -> None:
    """Divide a dataset's rows, as a new version. A row's split stays when other rows are added."""
    if (test is not None) + (column is not None) + bool(split) != 1:
        raise typer.BadParameter("give one of them", param_hint="--test / --column / --split")
    name, version = versioned(name, version)
    client = connect(context)
    try:
        if test is not None:
            shares = {"test": _share(test), "validation": _share(validation or "0")}
            wanted = SplitRequest(version=version, hash=HashSplit(**shares, seed=seed))
        elif column is not None:
            wanted = SplitRequest(version=version, column=column)
        else:
            wanted = SplitRequest(parts=_upload(client, name, split or []))
    except ValidationError as error:
        raise typer.BadParameter(str(error.errors()[0]["msg"]), param_hint="--test / --validation / --split") from error
    with change_progress(json) as progress:
        made = client.datasets.split(name, wanted, on_change=progress)
    if json:
        print_json(made)
    else:
        _show(made)


def show_splits(version: DatasetVersionView) -> None:
    """A table of the version's splits; nothing where it has none."""
    if not version.stats.splits:
        return
    right = [Column(name, justify="right") for name in ("rows", "share", "size")]
    table = Table("split", *right, box=SIMPLE)
    for split_name in sorted(version.stats.splits, key=SPLITS.index):
        stats = version.stats.splits[split_name]
        table.add_row(split_name, f"{stats.rows:,}", f"{stats.share:.2%}", size(stats.size_bytes))
    console.print(table)


def _show(version: DatasetVersionView) -> None:
    console.print(f"[green]{version.dataset}[/] version {version.version}, divided:", highlight=False)
    show_splits(version)
    show_warnings(version)


def _share(text: str) -> float:
    """`10%`, `۱۰٪` and `0.1` are the same. Raises BadParameter."""
    plain = text.strip().replace("٪", "%").replace("٫", ".")
    try:
        return float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError as error:
        message = f"{text!r} is no share: write 10% or 0.1"
        raise typer.BadParameter(message, param_hint="--test / --validation") from error


def _upload(client: Client, name: str, entries: list[str]) -> SplitParts:
    """Each file becomes a version; the training rows come last, so that the latest version is never a test."""
    files = dict(_part(entry) for entry in entries)
    if TRAIN not in files or len(files) < len(entries) or len(files) < 2:
        message = "give train=FILE, and validation=FILE or test=FILE or both, each once"
        raise typer.BadParameter(message, param_hint="--split")
    ordered = sorted(files.items(), key=lambda part: part[0] == TRAIN)
    return SplitParts(**{part: client.datasets.upload(path, name=name).version for part, path in ordered})


def _part(entry: str) -> tuple[str, Path]:
    part, separator, path = entry.partition("=")
    known = split_named(part)
    if known is None or not separator or not Path(path).is_file():
        message = f"{entry!r} is not train=FILE, validation=FILE or test=FILE with a file that is there"
        raise typer.BadParameter(message, param_hint="--split")
    return known, Path(path)
