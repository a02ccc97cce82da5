"""What a campaign is told: how long, how hard, which seed, and what is broken on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Options:
    """`seconds` of faults, in which `kills` processes are to be killed; the other faults follow from their number.

    `steps` of each training, `configs` of them at most. `agent_share` of the kills go to agents, the rest to
    trainers. `broken` names a negative control (see `tests.soak.breakage`); None is the product as it is. After the
    faults, jobs that do not move for `drain_seconds` are lost.
    """

    seconds: float = 900.0
    kills: int = 500
    seed: int = 1
    workers: int = 4
    gateways: int = 2
    steps: int = 120
    configs: int = 8
    agent_share: float = 1 / 6
    lease_seconds: float = 3.0
    drain_seconds: float = 60.0
    broken: str | None = None
    json: Path = ROOT / "build" / "soak" / "ledger.json"
    keep_logs: Path | None = None
