"""`python -m tests.soak`: one campaign, or all negative controls. Exit code 0 only if the ledger is as it must be."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from rich.console import Console

from tests.soak import campaign, controls
from tests.soak.breakage import CONTROLS
from tests.soak.options import Options

_DEFAULT = Options()


def main() -> int:
    """Parse the command line and run. SIGTERM ends it as Ctrl-C does: with everything that was started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options, all_controls = _options()
    console = Console(width=None if Console().is_terminal else 160)
    if all_controls:
        return 0 if controls.run_all(options, console) else 1
    ledger = campaign.run(options, console).ledger
    console.print(f"Written to {options.json}")
    console.print("[green]clean[/green]" if ledger.clean else "[red]NOT CLEAN[/red]")
    return 0 if ledger.clean else 1


def _options() -> tuple[Options, bool]:
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=_DEFAULT.seconds, help="of faults")
    parser.add_argument("--kills", type=int, default=_DEFAULT.kills, help="the other faults are in proportion")
    parser.add_argument("--seed", type=int, default=_DEFAULT.seed)
    parser.add_argument("--workers", type=int, default=_DEFAULT.workers)
    parser.add_argument("--steps", type=int, default=_DEFAULT.steps, help="of each training")
    parser.add_argument("--configs", type=int, default=_DEFAULT.configs, help="distinct trainings, 1 to 8")
    parser.add_argument("--drain-seconds", type=float, default=_DEFAULT.drain_seconds)
    parser.add_argument("--json", type=Path, default=_DEFAULT.json)
    parser.add_argument("--keep-logs", type=Path, help="copy the processes' logs there at the end")
    broken = parser.add_mutually_exclusive_group()
    broken.add_argument("--controls", action="store_true", help="run every negative control, shortly")
    for name, control in CONTROLS.items():
        broken.add_argument(f"--{name}", dest="broken", action="store_const", const=name, help=control.what)
    given = vars(parser.parse_args())
    all_controls = given.pop("controls")
    return Options(**given), all_controls


if __name__ == "__main__":
    raise SystemExit(main())
