"""`kargah projects ...`"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from kargah.access.roles import Role
from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.person_role import role_option

app = typer.Typer(no_args_is_help=True, help="Projects: each sees its own jobs, datasets and models alone.")
_ProjectArgument = Annotated[str, typer.Argument(help="The project.")]


@app.command()
def add(context: typer.Context, name: _ProjectArgument, json: JsonOption = False) -> None:
    """Make a project."""
    made = connect(context).access.add_project(name)
    if json:
        print_json(made)
    else:
        console.print(f"{made.name} is there. Let people in: kargah projects members {made.name} --add NAME")


@app.command("list")
def list_projects(context: typer.Context, json: JsonOption = False) -> None:
    """Show your projects; all of them to those who look after the platform."""
    client = connect(context)
    page = client.access.projects()
    if json:
        print_json(page)
        return
    known = {owner.name: owner for owner in client.queue.owners().items}
    table = Table("project", "your role", "members", "jobs waiting", "may wait", box=SIMPLE, padding=(0, 1, 0, 0))
    for project in page.items:
        owner = known.get(project.name)
        jobs = ("-", "-") if owner is None else (str(owner.waiting), _limit(owner.max_waiting))
        table.add_row(project.name, project.role or "-", str(project.members), *jobs)
    console.print(table)


@app.command()
def members(
    context: typer.Context,
    project: _ProjectArgument,
    add: Annotated[str | None, typer.Option(metavar="USER", help="Let a user in, or change the role.")] = None,
    role: Annotated[Role, role_option("With --add.")] = Role.TRAINER,
    remove: Annotated[str | None, typer.Option(metavar="USER", help="Take a user out.")] = None,
    json: JsonOption = False,
) -> None:
    """Show who is in a project; --add and --remove change it."""
    access = connect(context).access
    if add is not None:
        access.set_member(project, add, role)
    if remove is not None:
        access.remove_member(project, remove)
    page = access.members(project)
    if json:
        print_json(page)
        return
    table = Table("user", "role", box=SIMPLE, padding=(0, 1, 0, 0))
    for member in page.items:
        table.add_row(member.user, member.role)
    console.print(table)


def _limit(number: int | None) -> str:
    return "no limit" if number is None else str(number)
