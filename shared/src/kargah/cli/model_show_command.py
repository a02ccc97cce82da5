"""`kargah model show` and `kargah model versions`: what a version is, where it comes from, and what was made of it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.text import size
from kargah.contracts.models import AliasView, LineageNode, LineageView, ModelVersionView

_CARD = "README.md"


def show(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="A model: NAME, NAME@3 for a version, or NAME@production for an alias.")],
    card: Annotated[bool, typer.Option("--card", help="Its model card too.")] = False,
    json: JsonOption = False,
) -> None:
    """Show a version: facts, licence, aliases, tags, files, lineage."""
    client = connect(context)
    lineage = client.models.lineage(name)
    version = lineage.version
    aliases = client.models.aliases(version.model).items
    text = client.models.read_text(version, _CARD)
    if json:
        pointing = [alias.model_dump(mode="json", by_alias=True) for alias in aliases]
        print_json({**lineage.model_dump(mode="json", by_alias=True), "aliases": pointing, "card": text})
        return
    console.print(_facts(version, aliases))
    _files(version)
    _lineage(lineage)
    if text is not None and card:
        console.print(Markdown(_without_front_matter(text)))
    elif text is not None:
        console.print(f"[dim]Its card: kargah model show {name} --card[/]", highlight=False)


def versions(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The model.")],
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many at most.")] = 20,
    json: JsonOption = False,
) -> None:
    """List the versions of a model, newest first, with their aliases and tags."""
    page = connect(context).models.versions(name, limit=limit)
    if json:
        print_json(page)
        return
    table = Table("version", "kind", "size", "aliases", "tags", "source", box=SIMPLE, padding=(0, 1, 0, 0))
    for version in page.items:
        labels = (" ".join(version.aliases) or "-", escape(" ".join(version.tags)) or "-")
        table.add_row(
            str(version.version), version.facts.kind, size(version.size_bytes), *labels, escape(version.source)
        )
    console.print(table)


def describe(version: ModelVersionView) -> None:
    """One line for a version that was just made."""
    facts = version.facts
    parameters = f"{facts.parameters / 1e6:.1f} M parameters, " if facts.parameters else ""
    console.print(
        f"[green]{version.model}[/] version {version.version}: {facts.kind} ({facts.model_type or 'unknown type'}), "
        f"{parameters}{size(version.size_bytes)}, from {escape(version.source)}",
        highlight=False,
    )


def _facts(version: ModelVersionView, aliases: list[AliasView]) -> Table:
    facts = version.facts
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows = {
        "model": f"[bold]{version.model}[/] version {version.version}",
        "kind": f"{facts.kind}, {facts.model_type or 'unknown type'}",
        "parameters": f"{facts.parameters:,}" if facts.parameters else None,
        "context": f"{facts.context_length:,} tokens" if facts.context_length else None,
        "size": size(version.size_bytes),
        "licence": escape(facts.license or "") or "not told",
        "source": escape(version.source),
        "made": f"{version.created_at:%Y-%m-%d %H:%M:%S} (UTC)",
        "tags": escape(" ".join(version.tags)) or None,
        "aliases": "\n".join(_alias(alias) for alias in aliases) or None,
    }
    for title, value in rows.items():
        if value is not None:
            table.add_row(title, value)
    return table


def _alias(alias: AliasView) -> str:
    before = f", before that {alias.previous}" if alias.previous is not None else ""
    return f"{alias.alias} -> version {alias.version}{before}"


def _files(version: ModelVersionView) -> None:
    table = Table("file", "size", "sha256", box=SIMPLE, padding=(0, 1, 0, 0))
    for file in version.files:
        table.add_row(Text(file.path, overflow="fold"), size(file.size_bytes), file.sha256[:12])
    console.print(table)


def _lineage(view: LineageView) -> None:
    if view.ancestors:
        console.print("[bold]made from[/]")
    for node in view.ancestors:
        console.print(f"  {'  ' * (node.depth - 1)}{node.relation}: {_node(node)}", highlight=False)
    known = view.version.lineage
    for title, name in (("dataset", "dataset"), ("job", "job_id"), ("code", "code_version")):
        if known.get(name):
            number = f"@{known['dataset_version']}" if name == "dataset" and known.get("dataset_version") else ""
            console.print(f"  {title}: {known[name]}{number}", highlight=False)
    if view.descendants:
        console.print("[bold]made of it[/]")
    for node in view.descendants:
        console.print(f"  {'  ' * (node.depth - 1)}{_node(node)} ({node.relation})", highlight=False, soft_wrap=True)


def _node(node: LineageNode) -> str:
    if not node.present:
        return f"{node.id}, deleted since"
    with_data = f", trained on {node.dataset}" if node.dataset else ""
    return f"[green]{node.model}@{node.version}[/] {node.kind}{with_data}"


def _without_front_matter(card: str) -> str:
    if card.startswith("---") and "\n---" in card[3:]:
        return card[3:].partition("\n---")[2].lstrip("-")
    return card
