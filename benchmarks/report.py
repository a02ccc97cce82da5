"""Rows of a benchmark report, as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One comparison. `ratio` above 1 is better for us, whatever the unit; `goal` is the ratio we aim at."""

    benchmark: str
    what: str
    unit: str
    ours: float
    peer: str
    theirs: float
    ratio: float
    goal: float | None = None
    note: str = ""


def show(rows: Iterable[Row], console: Console) -> None:
    """Print the rows as a table."""
    table = Table("benchmark", "what", "ours", "peer", "theirs", "unit", "ratio", "goal", "note")
    for row in rows:
        goal = "-" if row.goal is None else f"{row.goal:g}"
        table.add_row(
            row.benchmark,
            row.what,
            _short(row.ours),
            row.peer,
            _short(row.theirs),
            row.unit,
            f"{row.ratio:.2f}",
            goal,
            row.note,
        )
    console.print(table)


def save(rows: Iterable[Row], path: Path) -> None:
    """Write the rows with what they were measured on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"at": datetime.now(UTC).isoformat(), "machine": machine(), "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "python": platform.python_version(),
    }


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
