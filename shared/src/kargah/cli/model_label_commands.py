"""`kargah model alias` and `kargah model tag`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.clients.models import Models
from kargah.contracts.models import AliasView


def alias(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The model.")],
    alias: Annotated[str | None, typer.Argument(help="Such as production; without it, all are listed.")] = None,
    version: Annotated[int | None, typer.Argument(help="Where it is to point; without it, where it points.")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Remove the alias.")] = False,
    json: JsonOption = False,
) -> None:
    """Name a version of a model: NAME@ALIAS then means it, wherever a model is named."""
    models = connect(context).models
    if delete:
        _delete(models, name, alias, json)
    elif alias is not None and version is not None:
        _tell([models.set_alias(name, alias, version)], json)
    else:
        found = [one for one in models.aliases(name).items if alias in (None, one.alias)]
        _tell(found, json)


def tag(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model, or a version of it: NAME@3.")],
    tags: Annotated[list[str] | None, typer.Argument(help="Words to put on it.")] = None,
    remove: Annotated[list[str] | None, typer.Option("--remove", help="A word to take off; may be repeated.")] = None,
    json: JsonOption = False,
) -> None:
    """Put tags on a version, or take them off."""
    version = connect(context).models.tag(name, add=tags or [], remove=remove or [])
    if json:
        print_json(version)
    else:
        told = escape(" ".join(version.tags)) or "no tags"
        console.print(f"[green]{version.model}@{version.version}[/]: {told}", highlight=False)


def _delete(models: Models, name: str, alias: str | None, json: bool) -> None:
    if alias is None:
        raise typer.BadParameter("Say which alias is to go.", param_hint="ALIAS")
    models.delete_alias(name, alias)
    if json:
        print_json({"deleted": f"{name}@{alias}"})
    else:
        console.print(f"Removed {name}@{alias}; the version stays.", highlight=False)


def _tell(aliases: list[AliasView], json: bool) -> None:
    if json:
        print_json({"items": [alias.model_dump(mode="json", by_alias=True) for alias in aliases]})
        return
    for alias in aliases:
        before = f" (before that version {alias.previous})" if alias.previous is not None else ""
        console.print(f"[green]{alias.model}@{alias.alias}[/] is version {alias.version}{before}", highlight=False)
    if not aliases:
        console.print("No such alias. Make one: kargah model alias NAME production 3")
