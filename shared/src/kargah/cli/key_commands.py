"""`kargah keys ...`: API keys for programs."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from kargah.access.roles import Role
from kargah.cli.context import JsonOption, connect, console, errors, print_json
from kargah.cli.person_role import role_option

app = typer.Typer(no_args_is_help=True, help="API keys: for the SDK, HF_TOKEN and OpenAI clients.")


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What it is for.")],
    role: Annotated[Role | None, role_option("By default your own.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it is good.")] = 90,
    platform: Annotated[bool, typer.Option("--platform", help="For looking after all projects and users.")] = False,
    json: JsonOption = False,
) -> None:
    """Make a key for the project; it is shown this once, alone on standard output."""
    made = connect(context).access.make_key(name, role=role, days=days, platform=platform)
    if json:
        print_json(made)
        return
    errors.print(f"{made.role} in {made.project} until {made.expires_at:%Y-%m-%d}. Keep it: it is not shown again.")
    typer.echo(made.key)


@app.command("list")
def list_keys(context: typer.Context, json: JsonOption = False) -> None:
    """Show your keys in the project; everybody's to an admin."""
    page = connect(context).access.keys()
    if json:
        print_json(page)
        return
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    table.add_column("id", min_width=max((len(key.id) for key in page.items), default=0))  # whole: `revoke` takes it
    for name in ("name", "user", "role", "expires", "last used"):
        table.add_column(name, no_wrap=name == "last used")
    for key in page.items:
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "-"
        ends = "revoked" if key.revoked_at else f"{key.expires_at:%Y-%m-%d}"
        table.add_row(key.id, escape(key.name), key.user, key.role, ends, used)
    console.print(table if page.items else "No keys.")


@app.command()
def revoke(context: typer.Context, key_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Revoke a key, and those that were made with it, at once."""
    connect(context).access.revoke_key(key_id)
    console.print(f"{key_id} is revoked.", highlight=False)
