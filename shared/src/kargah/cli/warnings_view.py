"""What is doubtful in a dataset's version, in the terminal: where, what, and the flag that mends it."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.table import Column, Table
from rich.text import Text

from kargah.cli.context import console
from kargah.cli.text import visible
from kargah.contracts.datasets import DatasetVersionView

_SHOWN = 20


def show_warnings(version: DatasetVersionView) -> None:
    """A table of the first twenty, and the command that shows what a repair would do; nothing where all is well."""
    if not version.warnings:
        return
    table = Table(Column("line", justify="right"), "warning", Column("repair", no_wrap=True), box=SIMPLE)
    for warning in version.warnings[:_SHOWN]:
        flag = f"--fix {warning.repair}" if warning.repair else ""
        table.add_row(f"{warning.line:,}", Text(visible(warning.message), "yellow"), flag)
    console.print(table)
    if any(warning.repair for warning in version.warnings):
        console.print(
            f"See what mending does: kargah dataset repair {version.dataset} --fix all --dry-run", style="dim"
        )
