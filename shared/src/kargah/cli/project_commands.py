"""`kargah projects ...`"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from kargah.access.roles import Role
from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.person_role import role_option
from kargah.cli.text import bytes_of, size
from kargah.clients.storage import KEPT, Kept
from kargah.contracts.storage import StorageView

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


@app.command()
def storage(
    context: typer.Context,
    project: Annotated[str | None, typer.Argument(help="The project; with a limit: whose it is.")] = None,
    datasets: Annotated[str | None, typer.Option(metavar="SIZE|none", help="Rows it may keep: 50GB, say.")] = None,
    models: Annotated[str | None, typer.Option(metavar="SIZE|none", help="Files of models it may keep.")] = None,
    json: JsonOption = False,
) -> None:
    """Show how many bytes projects keep, and may; --datasets and --models limit a project (none: as everybody)."""
    kept = connect(context).storage
    given: Mapping[Kept, str | None] = {"datasets": datasets, "models": models}
    for what, limit in given.items():
        if limit is not None:
            kept.limit(what, _named(project), None if limit == "none" else bytes_of(limit))
    views = {what: [one for one in kept.view(what).items if project in (None, one.project)] for what in KEPT}
    if json:
        print_json(
            {what: [one.model_dump(mode="json", by_alias=True) for one in found] for what, found in views.items()}
        )
    else:
        console.print(_storage_table(views))


def _named(project: str | None) -> str:
    if project is None:
        raise typer.BadParameter("say which project the limit is for", param_hint="PROJECT")
    return project


def _storage_table(views: Mapping[Kept, Sequence[StorageView]]) -> Table:
    table = Table("project", "of", "takes", "may take", box=SIMPLE, padding=(0, 1, 0, 0))
    for what, found in views.items():
        for one in found:
            limit = "no limit" if one.max_bytes is None else size(one.max_bytes)
            table.add_row(one.project, what, size(one.used_bytes), limit + (" (its own)" if one.own_limit else ""))
    return table


def _limit(number: int | None) -> str:
    return "no limit" if number is None else str(number)
