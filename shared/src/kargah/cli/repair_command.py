"""`kargah dataset repair`"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from kargah.cli.context import DatasetArgument, JsonOption, connect, console, print_json, versioned
from kargah.cli.text import visible
from kargah.cli.upload_progress import change_progress
from kargah.contracts.datasets import RepairReport, RepairSample
from kargah.domain.wording import counted

_FIXES = (
    "arabic-letters, half-space, digits, control-characters, unicode, near-empty, leakage, duplicates, or all; "
    "repeatable."
)


def repair(
    context: typer.Context,
    name: DatasetArgument,
    fix: Annotated[list[str], typer.Option(help=_FIXES)],
    version: Annotated[int | None, typer.Option(min=1, help="Which version; the latest by default.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Keep nothing; show what would be done.")] = False,
    json: JsonOption = False,
) -> None:
    """Mend a dataset's rows into a new version; the old one stays."""
    name, version = versioned(name, version)
    with change_progress(json) as progress:
        report = connect(context).datasets.repair(name, fix, version=version, dry_run=dry_run, on_change=progress)
    if json:
        print_json(report)
    else:
        _describe(report, fix, dry_run)


def _describe(report: RepairReport, fix: list[str], dry_run: bool) -> None:
    done = "would change" if dry_run else "changed"
    rows = counted(report.rows, "row")
    console.print(
        f"[green]{report.dataset}[/] version {report.version}: {done} {report.rows_changed:,} of {rows}, "
        f"{'would drop' if dry_run else 'dropped'} {report.rows_dropped:,}",
        highlight=False,
    )
    for name, count in report.counts.items():
        console.print(f"  {name}: {count:,}", highlight=False)
    if report.rows_unfit:
        stay = counted(report.rows_unfit, "row")
        console.print(f"  stay as they are, mended they would say nothing: {stay}", highlight=False)
    if dry_run:
        for sample in report.samples:
            _show(sample)
        if report.rows_changed or report.rows_dropped:
            fixes = " ".join(f"--fix {one}" for one in fix)
            told = f"Nothing is kept of this. To do it: kargah dataset repair {report.dataset}@{report.version} {fixes}"
            console.print(told, style="dim", highlight=False, markup=False, soft_wrap=True)
    elif report.result is not None:
        _tell_result(report, report.result.version)


def _tell_result(report: RepairReport, version: int) -> None:
    same = version == report.version
    text = "nothing to mend" if same else f"the rows are version {version}"
    console.print(text, highlight=False)


def _show(sample: RepairSample) -> None:
    place = f"row {sample.row}" + (f", {sample.field}" if sample.field else "")
    console.print(f"[bold]{escape(place)}[/] ({', '.join(sample.fixes)})", highlight=False)
    console.print(f"  [red]-[/] {escape(visible(sample.before))}", highlight=False, soft_wrap=True)
    if sample.after is not None:
        console.print(f"  [green]+[/] {escape(visible(sample.after))}", highlight=False, soft_wrap=True)
