"""`kargah bundle ...`: models and datasets in one signed file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from kargah.cli.context import ExitCode, JsonOption, complain, connect, console, print_json
from kargah.cli.text import size
from kargah.clients.bundles.errors import BundleRefused
from kargah.clients.bundles.export import export_dataset, export_model
from kargah.clients.bundles.importing import import_bundle
from kargah.clients.bundles.keys import PublicKey, generate, read_private, read_public
from kargah.clients.bundles.manifest import Manifest
from kargah.clients.config import ClientSettings

app = typer.Typer(no_args_is_help=True, help="Carry models and datasets to where there is no network.")


class What(StrEnum):
    """What a bundle is made of."""

    MODEL = "model"
    DATASET = "dataset"


KeyOption = Annotated[
    Path,
    typer.Option("--key", exists=True, dir_okay=False, help="The private key that signs, as `bundle keygen` makes it."),
]
TrustOption = Annotated[
    list[Path] | None,
    typer.Option("--trust", exists=True, dir_okay=False, help="A file of public keys that are trusted; repeatable."),
]


@app.command()
def keygen(
    path: Annotated[Path, typer.Argument(help="Where the private key goes; the public one gets .pub at its end.")],
    owner: Annotated[str, typer.Option(help="Whose it is: people read this.")] = "",
    json: JsonOption = False,
) -> None:
    """Make a key pair. Give the .pub file to those who import your bundles, by a way that they trust."""
    try:
        key = generate(path, owner).public
    except FileExistsError as error:
        raise typer.BadParameter(f"{error.filename} is there already: no key is overwritten.") from error
    if json:
        print_json({"private": str(path), "public": f"{path}.pub", "id": key.id})
    else:
        console.print(f"Key [green]{key.id}[/]: {path} signs and stays secret, {path}.pub is for the others.")


@app.command()
def export(
    context: typer.Context,
    what: Annotated[What, typer.Argument(help="model or dataset.")],
    name: Annotated[str, typer.Argument(help="NAME, NAME@3 or NAME@production.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write, NAME.kargah say.")],
    key: KeyOption,
    without_base: Annotated[bool, typer.Option("--without-base", help="An adapter alone: its base is there.")] = False,
    json: JsonOption = False,
) -> None:
    """Write a version with its lineage into one signed file; the base of an adapter too."""
    with _refusals(), _bar(quiet=json) as progress:
        signing, client = read_private(key), connect(context)
        if what is What.MODEL:
            made = export_model(client, name, output, signing, with_base=not without_base, progress=progress)
        else:
            made = export_dataset(client, name, output, signing, progress=progress)
    if json:
        print_json({"file": str(output), "key": signing.public.id, **made.model_dump(mode="json", by_alias=True)})
    else:
        console.print(
            f"[green]{output}[/]: {_content(made)}, {size(output.stat().st_size)}, signed by {signing.public.id}"
        )


@app.command("import")
def import_file(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A bundle.")],
    trust: TrustOption = None,
    json: JsonOption = False,
) -> None:
    """Verify a bundle, every byte of it, and take in what it holds. Doing so twice is doing so once."""
    with _refusals(), _bar(quiet=json) as progress:
        taken = import_bundle(connect(context), file, _trusted(trust or ()), progress=progress)
    names = [*taken.models, *taken.datasets]
    if json:
        print_json({"models": taken.models, "datasets": taken.datasets, "key": taken.signer.id})
    else:
        console.print(f"[green]{', '.join(names)}[/], signed by {taken.signer.id} {taken.signer.owner}".rstrip())


def _trusted(files: Sequence[Path]) -> list[PublicKey]:
    """Of the options, and of the setting."""
    known = [*files, *ClientSettings().bundle_keys]
    if not known:
        hint = "Name the maker's public key: --trust FILE, or KARGAH_BUNDLE_KEYS='[\"FILE\"]'."
        raise BundleRefused("no_keys", "No key is trusted here, so no bundle can be verified.", hint)
    return [key for file in known for key in read_public(file)]


def _content(made: Manifest) -> str:
    models = [f"{model.name}@{model.version}" for model in made.models]
    return ", ".join([*models, *(f"{dataset.name}@{dataset.version}" for dataset in made.datasets)])


class _refusals:
    """What cannot be is one readable message and an exit code."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, BundleRefused | OSError):
            complain(str(error), error.code if isinstance(error, BundleRefused) else "file")
            raise typer.Exit(ExitCode.REFUSED) from error


class _bar:
    """A bar of bytes, from the first of them on: what is refused before has none."""

    def __init__(self, *, quiet: bool) -> None:
        self._progress = Progress(console=console, disable=quiet)

    def __enter__(self) -> Callable[[int, int], None]:
        self._progress.start()
        task = self._progress.add_task("bundle", total=None, visible=False)
        return lambda done, total: self._progress.update(task, completed=done, total=total, visible=True)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._progress.stop()
