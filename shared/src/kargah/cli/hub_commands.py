"""`kargah hub ...`: look before you install."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Table

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.text import size
from kargah.contracts.upstream import HubModelView

app = typer.Typer(no_args_is_help=True, help="Search the hub that models are installed from; what is mirrored of it.")
mirror = typer.Typer(no_args_is_help=True, help="Repositories of another hub that are kept here.")
app.add_typer(mirror, name="mirror")


@app.command()
def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="A part of a model's name.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 20,
    json: JsonOption = False,
) -> None:
    """Find models by name, the most downloaded first."""
    found = connect(context).hub.search(text, limit=limit)
    if json:
        print_json(found)
        return
    table = Table("model", "licence", "task", "downloads", box=SIMPLE, padding=(0, 1, 0, 0))
    for item in found.items:
        gated = " (gated)" if item.gated else ""
        count = f"{item.downloads:,}" if item.downloads is not None else "-"
        table.add_row(item.id, (item.license or "-") + gated, item.task or "-", count)
    console.print(table if found.items else f"{found.endpoint} has no model like that.")


@app.command()
def info(
    context: typer.Context,
    repo: Annotated[str, typer.Argument(help="owner/name, or owner/name@revision.")],
    json: JsonOption = False,
) -> None:
    """Show a model's files, sizes and licence, and whether it can be installed."""
    name, _, revision = repo.partition("@")
    found = connect(context).hub.model(name, revision=revision or None)
    if json:
        print_json(found)
        return
    tell(found)
    table = Table("file", "size", "", box=SIMPLE, padding=(0, 1, 0, 0))
    for file in found.files:
        table.add_row(
            file.path, size(file.size_bytes), "downloaded" if file.wanted else f"left out{_why(file.problem)}"
        )
    console.print(table)
    if found.safe:
        console.print(f"Install it: kargah model install {found.source.partition('@')[0]}", highlight=False)


@mirror.command("list")
def list_mirrors(context: typer.Context, json: JsonOption = False) -> None:
    """Show what is mirrored, and how much of it is here."""
    found = connect(context).hub.mirrors()
    if json:
        print_json(found)
        return
    table = Table("repository", "from", "commits", "files here", "size here", "asked", box=SIMPLE, padding=(0, 1, 0, 0))
    for one in found.items:
        table.add_row(
            one.id if one.kind == "models" else f"{one.kind}/{one.id}",
            one.mirrored_from,
            str(one.commits),
            f"{one.kept_files} of {one.files}",
            f"{size(one.kept_bytes)} of {size(one.size_bytes)}",
            f"{one.checked_at:%Y-%m-%d %H:%M}" if one.checked_at else "-",
        )
    console.print(table if found.items else "Nothing is mirrored (KARGAH_MIRROR=1 at the registry turns it on).")


@mirror.command("drop")
def drop_mirror(
    context: typer.Context,
    repo: Annotated[str, typer.Argument(help="owner/name of a model, or datasets/owner/name.")],
) -> None:
    """Forget a mirrored repository; its files go after their grace, unless something else needs them."""
    dataset = repo.startswith("datasets/")
    connect(context).hub.drop_mirror("datasets" if dataset else "models", repo.removeprefix("datasets/"))
    console.print(f"{repo} is not mirrored any more.", highlight=False)


def tell(found: HubModelView) -> None:
    """What an install would bring, or why there is none."""
    parameters = f", {found.parameters / 1e6:.1f} M parameters" if found.parameters else ""
    console.print(
        f"[bold]{found.id}[/] at {found.commit[:12]}: {size(found.download_bytes)} to download{parameters}, "
        f"licence {found.license or 'not told'}{', gated' if found.gated else ''}",
        highlight=False,
    )
    if not found.safe:
        console.print(f"[red]Not installed: {found.problem}.[/] {found.hint or ''}", highlight=False)


def _why(problem: str | None) -> str:
    return f": {problem}" if problem else ""
