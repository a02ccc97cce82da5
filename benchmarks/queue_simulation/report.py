"""The report as Markdown tables, and all figures as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.queue_simulation.capacity import Bound
from benchmarks.queue_simulation.database import Latency, Rate
from benchmarks.queue_simulation.figures import Summary, Waits
from benchmarks.queue_simulation.statements import Statements


@dataclass(frozen=True)
class Costs:
    """What Postgres was measured at."""

    statements: Statements
    latencies: Sequence[Latency]
    claims: Sequence[Rate]
    heartbeats: Sequence[Rate]
    reports: Sequence[Rate]
    bounds: Sequence[Bound]


def machine() -> str:
    """The machine's size, in words."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30)
    return f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB of memory, Python {platform.python_version()}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


def simulation_tables(summaries: Sequence[Summary]) -> str:
    """Waits by priority, then the runs side by side."""
    real = summaries[0]
    waits = _table(
        ("priority", "jobs", "p50", "p95", "p99", "longest"),
        [(name, f"{found.jobs:,}", *_seconds(found)) for name, found in real.by_priority.items()],
    )
    names = [
        ("Jain's index of owners that wait", [f"{one.jain:.2f}" for one in summaries]),
        ("wait of the small half of owners, p50 / p99", [_pair(one.small_owners) for one in summaries]),
        ("wait of the busiest owner, p50 / p99", [_pair(one.busiest_owner) for one in summaries]),
        ("wait at priority +10, p50 / p99", [_pair(one.by_priority["+10"]) for one in summaries]),
        ("wait at priority -1, p50 / p99", [_pair(one.by_priority["-1"]) for one in summaries]),
        ("longest wait of any job", [_short(one.starved) for one in summaries]),
        ("utilisation of the workers", [f"{100 * one.utilisation:.1f} %" for one in summaries]),
        ("claims", [f"{one.claims:,}" for one in summaries]),
        ("crashed attempts", [f"{one.crashes:,}" for one in summaries]),
        ("completed / in error", [f"{one.completed:,} / {one.failed:,}" for one in summaries]),
        ("hours of work lost to crashes", [f"{one.lost_hours:.1f}" for one in summaries]),
    ]
    runs = _table(("", *(one.policy for one in summaries)), [(name, *values) for name, values in names])
    return f"{waits}\n{runs}"


def cost_tables(costs: Costs) -> str:
    """Statements, latencies, rates, and what they come to."""
    parts = costs.statements.parts
    statements = _table(
        (*parts, "a job, once", "a running job, per second"),
        [(*map(str, parts.values()), str(costs.statements.once), f"{costs.statements.per_second:.1f}")],
    )
    latencies = _table(
        ("jobs waiting", "trainings running", "p50", "p95", "p99"),
        [
            (f"{one.pending:,}", f"{one.running:,}", *(f"{ms:.1f} ms" for ms in (one.p50, one.p95, one.p99)))
            for one in costs.latencies
        ],
    )
    kinds = {"claims": costs.claims, "heartbeats": costs.heartbeats, "reports": costs.reports}
    rates = _table(
        ("connections", *(f"{name}/s (ms of server CPU each)" for name in kinds)),
        [
            (str(row[0].connections), *(f"{rate.per_second:,.0f} ({rate.cpu_ms:.2f})" for rate in row))
            for row in zip(*kinds.values(), strict=True)
        ],
    )
    limits = _table(
        ("what gives", "at so many running workers", "because"),
        [(bound.what, f"{bound.workers:,}", bound.why) for bound in costs.bounds],
    )
    return "\n".join((statements, latencies, rates, limits))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *(list(row) for row in rows)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _seconds(waits: Waits) -> tuple[str, ...]:
    return tuple(_short(value) for value in (waits.p50, waits.p95, waits.p99, waits.longest))


def _pair(waits: Waits) -> str:
    return f"{_short(waits.p50)} / {_short(waits.p99)}"


def _short(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
