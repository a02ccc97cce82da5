"""The ledger as a table for people and as JSON for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.soak.ledger import ZEROS, Ledger


def show(ledger: Ledger, faults: Mapping[str, tuple[int, int]], console: Console) -> None:
    """Print it; `faults` are (done, planned) by kind."""
    console.print(_faults(faults))
    console.print(_facts(ledger))
    console.print(_recovery(ledger))
    console.print(_zeros(ledger))
    for key, found in ledger.findings.items():
        for line in found[:3]:
            console.print(f"[red]{ZEROS[key]}[/red]: {line}", soft_wrap=True, highlight=False)


def save(
    ledger: Ledger,
    faults: Mapping[str, tuple[int, int]],
    events: list[dict[str, Any]],
    head: dict[str, Any],
    path: Path,
) -> None:
    """Write everything, each fault with its time included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "at": datetime.now(UTC).isoformat(),
        "machine": {"processor": platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()},
        **head,
        "clean": ledger.clean,
        "faults": {kind: {"done": done, "planned": planned} for kind, (done, planned) in faults.items()},
        **asdict(ledger),
        "injected": events,
    }
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _faults(faults: Mapping[str, tuple[int, int]]) -> Table:
    table = Table("fault", "done", "planned", title="Injected", title_justify="left")
    for kind, (done, planned) in faults.items():
        table.add_row(kind, str(done), str(planned))
    return table


def _facts(ledger: Ledger) -> Table:
    table = Table("what", "figure", title="Work", title_justify="left")
    for name, value in ledger.facts.items():
        if not isinstance(value, dict):
            table.add_row(name, f"{value:,}")
    return table


def _recovery(ledger: Ledger) -> Table:
    table = Table("from", "count", "median s", "max s", title="Time to the next step", title_justify="left")
    for kind, row in ledger.facts["recovery"].items():
        table.add_row(kind, f"{row['count']:.0f}", f"{row['median']:.2f}", f"{row['max']:.2f}")
    return table


def _zeros(ledger: Ledger) -> Table:
    table = Table("must be zero", "count", title="Ledger", title_justify="left")
    for key, count in ledger.zeros.items():
        table.add_row(ZEROS[key], f"[red bold]{count}[/red bold]" if count else "[green]0[/green]")
    return table
