"""`kargah audit`: what was changed and refused."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from kargah.cli.context import JsonOption, connect, console, print_json


def audit(
    context: typer.Context,
    name: Annotated[str | None, typer.Option(help="Of this user.")] = None,
    operation: Annotated[str | None, typer.Option(help="Of this operation, as the list shows it.")] = None,
    status: Annotated[int | None, typer.Option(min=1, max=599, help="403, or 4 for all of the four hundreds.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Of all projects.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="Where the page before ended (with --json).")] = None,
    json: JsonOption = False,
) -> None:
    """Show what was changed in the project and what was refused, newest first (for admins)."""
    page = connect(context).access.audit(
        name=name, operation=operation, status=status, everywhere=everywhere, limit=limit, cursor=cursor
    )
    if json:
        print_json(page)
        return
    table = Table("at", "who", "project", "operation", "what", "status", "from", box=SIMPLE, padding=(0, 1, 0, 0))
    for entry in page.items:
        at, what = f"{entry.at:%Y-%m-%d %H:%M:%S}", f"{entry.method} {entry.path}"
        status_text = str(entry.status) if entry.status < 400 else f"[red]{entry.status}[/]"
        table.add_row(
            at, escape(entry.name), escape(entry.project), entry.operation, escape(what), status_text, entry.address
        )
    console.print(table if page.items else "Nothing.")
