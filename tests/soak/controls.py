"""All negative controls, one short campaign each: every one must be caught, in a row of its own kind."""

from __future__ import annotations

from dataclasses import replace

from rich.console import Console
from rich.table import Table

from tests.soak import campaign
from tests.soak.breakage import CONTROLS, WHOLE, Breakage
from tests.soak.ledger import ZEROS, Ledger
from tests.soak.options import Options
from tests.soak.progress import Ticker
from tests.soak.servers import running_servers

_DRAIN_SECONDS = 25.0


def shortened(
    options: Options, control: Breakage, *, seconds: float = 30.0, kills: int = 24, configs: int = 4
) -> Options:
    """A campaign just long enough for `control` to do its harm."""
    return replace(
        options,
        seconds=seconds,
        kills=kills,
        configs=configs,
        drain_seconds=_DRAIN_SECONDS,
        gateways=1,
        broken=control.name or None,
        json=options.json.with_name(f"control-{control.name}.json"),
    )


def caught(ledger: Ledger, control: Breakage) -> bool:
    """Whether the ledger fails where this control must show."""
    return any(ledger.zeros[row] for row in control.rows)


def run_all(options: Options, console: Console) -> bool:
    """Run each and print a table; whether all were caught."""
    table = Table("control", "what is broken", "rows of the ledger that fail", "caught")
    good = True
    base = shortened(options, WHOLE)
    with Ticker(console, base) as ticker, running_servers(base) as servers:
        truth = campaign.undisturbed(servers, base, ticker)
        for control in CONTROLS.values():
            console.rule(control.name)
            ledger = campaign.attack(servers, truth, shortened(options, control), ticker, console).ledger
            found = caught(ledger, control)
            good &= found
            rows = ", ".join(f"{ZEROS[key]}: {count}" for key, count in ledger.zeros.items() if count)
            table.add_row(control.name, control.what, rows or "none", "yes" if found else "[red]NO[/red]")
    console.print(table)
    return good
