"""`kargah dataset preview`: look at rows, or for something in them."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from kargah.cli.context import DatasetArgument, JsonOption, connect, console, print_json, versioned
from kargah.cli.text import row_value
from kargah.clients.client import Client
from kargah.contracts.datasets import DatasetPreview


def preview(
    context: typer.Context,
    name: DatasetArgument,
    offset: Annotated[int, typer.Option(min=0, help="Begin after so many rows.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many rows to show.")] = 10,
    search: Annotated[str | None, typer.Option(help="Only rows with this text in any field.")] = None,
    version: Annotated[int | None, typer.Option(min=1, help="By default the latest.")] = None,
    json: JsonOption = False,
) -> None:
    """Show rows of a dataset, or those with a text, however its letters and half-spaces are typed."""
    name, version = versioned(name, version)
    answer = _find(connect(context), name, offset=offset, limit=limit, search=search, version=version)
    if json:
        print_json(answer)
        return
    for number, row in zip(answer.numbers, answer.rows, strict=True):
        console.rule(f"row {number + 1}", align="left")
        for field, value in row.items():
            console.print(Text.assemble((field, "bold"), f": {row_value(value)}"), highlight=False)
    if not answer.rows:
        console.print("No row has it." if search else "No row is there.")
    if answer.next_offset is not None and (search or not answer.rows):
        console.print(f"There may be more: go on with --offset {answer.next_offset}", style="dim", highlight=False)


def _find(client: Client, name: str, *, limit: int, search: str | None, **given: Any) -> DatasetPreview:
    """A search goes on, answer by answer, until there are enough rows or none are left."""
    answer = first = client.datasets.preview(name, limit=limit, search=search, **given)
    rows, numbers = [*first.rows], [*first.numbers]
    while search is not None and len(rows) < limit and answer.next_cursor is not None:
        rest = limit - len(rows)
        answer = client.datasets.preview(name, limit=rest, search=search, cursor=answer.next_cursor)
        rows += answer.rows
        numbers += answer.numbers
    return answer.model_copy(update={"offset": first.offset, "rows": rows, "numbers": numbers})
