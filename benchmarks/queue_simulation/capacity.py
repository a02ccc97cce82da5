"""From costs to numbers of workers: what one Postgres carries, and what gives first."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.queue_simulation.database import Rate
from benchmarks.queue_simulation.statements import HEARTBEATS_PER_SECOND, REPORTS_PER_SECOND

CONNECTIONS_OF_A_WORKER = 5  # its pool keeps four, and one listens for the bell
CONNECTIONS_OF_SERVICES = 40  # gateway, registry and dataset service, each with its pool
MAX_CONNECTIONS = 100  # Postgres' default


@dataclass(frozen=True)
class Bound:
    """So many running workers, because of this."""

    what: str
    workers: int
    why: str


def bounds(heartbeats: Sequence[Rate], reports: Sequence[Rate], claims: Sequence[Rate]) -> list[Bound]:
    """The tightest first. All at the default pace, and with jobs of ten minutes."""
    beat, told, claim = _best(heartbeats), _best(reports), _best(claims)
    seconds = HEARTBEATS_PER_SECOND / beat.per_second + REPORTS_PER_SECOND / told.per_second
    cpu = HEARTBEATS_PER_SECOND * beat.cpu_ms + REPORTS_PER_SECOND * told.cpu_ms
    cores = os.cpu_count() or 1
    free = (MAX_CONNECTIONS - CONNECTIONS_OF_SERVICES) // CONNECTIONS_OF_A_WORKER
    found = [
        Bound("connections", free, f"max_connections = {MAX_CONNECTIONS}, {CONNECTIONS_OF_A_WORKER} for each worker"),
        Bound(
            "heartbeats and reports, as measured",
            int(1 / seconds),
            f"{beat.per_second:.0f} heartbeats/s or {told.per_second:.0f} reports/s, clients on the same cores",
        ),
        Bound(
            "heartbeats and reports, Postgres alone",
            int(1000 * cores / cpu),
            f"{cpu:.1f} ms of CPU for each worker and second, {cores} cores",
        ),
        Bound("claims", int(claim.per_second * 600), f"{claim.per_second:.0f} claims/s, one job in ten minutes each"),
    ]
    return sorted(found, key=lambda bound: bound.workers)


def _best(rates: Sequence[Rate]) -> Rate:
    return max(rates, key=lambda rate: rate.per_second)
