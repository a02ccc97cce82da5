"""`make bench`: run the benchmarks, print a table, write JSON."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from benchmarks import controls, hub_push, platform_runs, studio, training_throughput, upload
from benchmarks.gateway_load import load
from benchmarks.report import Row, save, show

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "training": training_throughput.rows,
    "platform": platform_runs.rows,
    "controls": controls.rows,
    "upload": upload.rows,
    "push": hub_push.rows,
    "gateway": load.rows,
    "studio": studio.rows,
}


def main() -> None:
    """Run all benchmarks, or those named."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", choices=list(BENCHMARKS), default=list(BENCHMARKS), help="only these")
    parser.add_argument("--json", type=Path, default=Path("build/bench/report.json"))
    parser.add_argument("--size", type=float, default=upload.SIZE_GB, help="GB of the file that `upload` sends")
    options = parser.parse_args()
    measures: dict[str, Callable[[], list[Row]]] = {**BENCHMARKS, "upload": partial(upload.rows, options.size)}
    console = Console(width=200)
    rows: list[Row] = []
    for name in options.names:
        with console.status(f"measuring {name}"):
            rows += measures[name]()
        save(rows, options.json)
    show(rows, console)
    console.print(f"Written to {options.json}")


if __name__ == "__main__":
    main()
