"""`kargah dataset stats`: what a version's rows are like."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Column, Table
from rich.text import Text

from kargah.cli.context import DatasetArgument, JsonOption, connect, console, print_json, versioned
from kargah.cli.split_command import show_splits
from kargah.cli.text import size
from kargah.cli.token_view import show_tokens
from kargah.contracts.datasets import DatasetStats
from kargah.contracts.tokens import MOST_COUNTED, RowsWanted
from kargah.domain.wording import counted

_LABELS_SHOWN = 30
_SCRIPTS = {
    "persian": "Persian",
    "arabic_script": "Arabic script, another language",
    "latin": "Latin",
    "other": "another script",
    "mixed": "mixed",
    "none": "no letters",
}


def stats(
    context: typer.Context,
    name: DatasetArgument,
    version: Annotated[int | None, typer.Option(min=1, help="By default the latest.")] = None,
    model: Annotated[str | None, typer.Option(help="Count tokens too, by this model's tokenizer.")] = None,
    sample: Annotated[int, typer.Option(min=1, max=MOST_COUNTED, help="With --model: rows to count.")] = 2000,
    json: JsonOption = False,
) -> None:
    """Show a dataset's rows, fields, lengths, scripts, labels and splits in figures; with --model, its tokens too."""
    name, version = versioned(name, version)
    datasets = connect(context).datasets
    found = datasets.get(name, version=version).latest
    tokens = None
    if model is not None:
        tokens = datasets.tokens(name, model, rows=RowsWanted(limit=0), version=found.version, sample=sample)
    if json:
        print_json(found.stats if tokens is None else tokens)
        return
    rows = counted(found.stats.rows, "row")
    console.print(
        f"[green]{found.dataset}[/] version {found.version}: {rows} of format {found.format}, "
        f"{size(found.stats.size_bytes)}{_row_sizes(found.stats)}",
        highlight=False,
    )
    _show_fields(found.stats)
    _show_counts("mainly written in", {_SCRIPTS.get(key, key): n for key, n in found.stats.scripts.items()})
    _show_counts("label", found.stats.labels)
    show_splits(found)
    if tokens is not None:
        show_tokens(tokens)


def _row_sizes(found: DatasetStats) -> str:
    sizes = found.row_bytes
    return f"; a row {sizes['min']:,.0f} to {sizes['max']:,.0f} bytes, {sizes['mean']:,.0f} on average" if sizes else ""


def _show_fields(found: DatasetStats) -> None:
    right = [Column(name, justify="right") for name in ("rows", "empty", "shortest", "mean", "longest")]
    table = Table("field", *right, "in", box=SIMPLE)
    for name in found.fields:
        figures = found.field_stats.get(name, {})
        unit, what = ("characters", "Length") if "minLength" in figures else ("items", "Items")
        lengths = [figures.get(f"{word}{what}") for word in ("min", "mean", "max")]
        told = ["-" if length is None else f"{length:,.10g}" for length in lengths]
        table.add_row(
            Text(name),
            f"{figures.get('count', 0):,.0f}",
            f"{figures.get('empty', 0):,.0f}",
            *told,
            unit if any(lengths) else "",
        )
    console.print(table)


def _show_counts(title: str, counts: dict[str, int]) -> None:
    if not counts:
        return
    table = Table(title, Column("rows", justify="right"), Column("share", justify="right"), box=SIMPLE)
    counted = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda entry: -entry[1])
    for name, count in ordered[:_LABELS_SHOWN]:
        table.add_row(Text(name), f"{count:,}", f"{count / counted:.1%}")
    if len(counts) > _LABELS_SHOWN:
        table.add_row(f"and {len(counts) - _LABELS_SHOWN:,} more", "", "")
    console.print(table)
