"""`kargah users ...`, for those who look after the platform."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Table

from kargah.access.roles import Role
from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.login_commands import read_password
from kargah.cli.person_role import role_option
from kargah.contracts.access import UserView

app = typer.Typer(no_args_is_help=True, help="The people who may log in.")
_StdinOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
_NameArgument = Annotated[str, typer.Argument(help="The user.")]


@app.command()
def add(
    context: typer.Context,
    name: _NameArgument,
    project: Annotated[str | None, typer.Option(help="The project that the user begins in.")] = None,
    role: Annotated[Role, role_option("The role there.")] = Role.TRAINER,
    admin: Annotated[bool, typer.Option("--admin", help="Looks after all projects and users.")] = False,
    password_stdin: _StdinOption = False,
    json: JsonOption = False,
) -> None:
    """Add a user, with a first password of at least 12 characters."""
    password = read_password(stdin=password_stdin, prompt=f"Password of {name}", confirm=True)
    client = connect(context)
    _tell(client.access.add_user(name, password, platform=admin, project=project, role=role), json)


@app.command("list")
def list_users(context: typer.Context, json: JsonOption = False) -> None:
    """Show everybody, with their projects."""
    page = connect(context).access.users()
    if json:
        print_json(page)
        return
    table = Table("user", "platform", "projects", "", box=SIMPLE, padding=(0, 1, 0, 0))
    for user in page.items:
        places = ", ".join(f"{one.project} ({one.role})" for one in user.projects)
        table.add_row(escape(user.name), "yes" if user.platform else "-", places, "disabled" if user.disabled else "")
    console.print(table)


@app.command()
def disable(context: typer.Context, name: _NameArgument, json: JsonOption = False) -> None:
    """Shut a user out at once: sessions end, keys stop working."""
    _tell(connect(context).access.update_user(name, disabled=True), json)


@app.command()
def enable(context: typer.Context, name: _NameArgument, json: JsonOption = False) -> None:
    """Let a disabled user in again."""
    _tell(connect(context).access.update_user(name, disabled=False), json)


@app.command()
def password(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(help="The user; without one, yourself.", show_default=False)] = None,
    password_stdin: _StdinOption = False,
) -> None:
    """Set a new password; the user's sessions end. Your own is asked for first (with --password-stdin: two lines)."""
    client = connect(context)
    if name is not None:
        client.access.update_user(name, password=read_password(stdin=password_stdin, confirm=True))
    else:
        current = read_password(stdin=password_stdin, prompt="Password so far")
        client.access.change_password(current, read_password(stdin=password_stdin, prompt="New", confirm=True))
    console.print("The password is changed.")


def _tell(user: UserView, json: bool) -> None:
    if json:
        print_json(user)
        return
    places = ", ".join(f"{one.role} in {one.project}" for one in user.projects) or "in no project"
    state = "disabled" if user.disabled else "looks after the platform" if user.platform else places
    console.print(f"{escape(user.name)}: {state}", highlight=False)
