"""`kargah dataset changes`: repairs and splits under way."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Column, Table

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.text import duration
from kargah.contracts.changes import ChangeView


def changes(
    context: typer.Context,
    change: Annotated[str | None, typer.Argument(help="One of them; all by default.")] = None,
    dataset: Annotated[str | None, typer.Option(help="Only those of this dataset.")] = None,
    cancel: Annotated[bool, typer.Option("--cancel", help="End the one named; nothing is made of it.")] = False,
    json: JsonOption = False,
) -> None:
    """Show repairs and splits that wait, work, or have ended within a week."""
    if cancel and change is None:
        raise typer.BadParameter("name the one to end", param_hint="CHANGE")
    known = connect(context).datasets.changes
    if change is None:
        page = known.list(dataset)
        print_json(page) if json else _table(page.items)
        return
    found = known.cancel(change) if cancel else known.get(change)
    print_json(found) if json else _describe(found)


def _table(items: list[ChangeView]) -> None:
    if not items:
        console.print("Nothing is being repaired or divided.")
        return
    table = Table(Column("id", no_wrap=True), "what", "dataset", "state", Column("done", justify="right"), box=SIMPLE)
    for item in items:
        table.add_row(item.id, item.kind, item.dataset, item.state, _done(item))
    console.print(table)


def _describe(change: ChangeView) -> None:
    console.print(f"{change.kind} of [green]{change.dataset}[/]: {change.state}, {_done(change)}", highlight=False)
    if change.version is not None:
        console.print(f"version {change.version.version} holds the rows", highlight=False)
    if change.problem is not None:
        console.print(change.problem.detail, style="red", highlight=False, markup=False)


def _done(change: ChangeView) -> str:
    share = "0%" if not change.total_bytes else f"{change.done_bytes / change.total_bytes:.0%}"
    return share if change.eta_seconds is None else f"{share}, {duration(change.eta_seconds)} left"
