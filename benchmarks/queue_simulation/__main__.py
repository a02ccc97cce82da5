"""`make simulate`: simulate, measure, print tables, write them as Markdown and JSON, and a plot."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.queue_simulation.capacity import bounds
from benchmarks.queue_simulation.cluster import Cluster, Outcome, Policy, check
from benchmarks.queue_simulation.database import (
    Latency,
    add_jobs,
    claim_latency,
    claim_rate,
    heartbeat_rate,
    prepare,
    report_rate,
)
from benchmarks.queue_simulation.figures import Summary, summarise
from benchmarks.queue_simulation.load import Load, arrivals
from benchmarks.queue_simulation.plot import Line, Panel, svg, thinned
from benchmarks.queue_simulation.report import Costs, cost_tables, machine, simulation_tables
from benchmarks.queue_simulation.server import measured_server
from benchmarks.queue_simulation.statements import count_statements
from kargah.testing.jobs import JobBench, job_bench

POLICIES = (Policy("Kargah"), Policy("without fair share", share_seconds=0.0), Policy("first come", 0.0, False))
PENDING = (1_000, 10_000, 100_000, 1_000_000)
RUNNING = 10_000
CONNECTIONS = (1, 2, 4, 8)
_BATCH = 20_000  # rows in one statement, which may last half a minute at most


def simulate(load: Load, policies: Sequence[Policy] = POLICIES) -> tuple[list[Summary], list[Panel]]:
    """Run the same load under each policy; raises AssertionError for a job lost or given twice."""
    arriving = arrivals(load)
    summaries, outcomes = [], []
    for policy in policies:
        outcome = Cluster(load, policy).run(arriving)
        check(outcome, load.jobs)
        summaries.append(summarise(outcome, load))
        outcome.jobs.clear()
        outcomes.append(outcome)
    return summaries, _panels(outcomes, load)


def measure(pending: Sequence[int], running: int, connections: Sequence[int], seconds: float) -> Costs:
    """The costs on a Postgres of our own."""
    with measured_server() as server, job_bench(server.url) as bench:
        statements = count_statements(bench)
        latencies = _latencies(bench, pending, running)
        claims = [claim_rate(server, number, seconds) for number in connections]
        heartbeats = [heartbeat_rate(server, number, seconds) for number in connections]
        reports = [report_rate(server, number, seconds) for number in connections]
    return Costs(statements, latencies, claims, heartbeats, reports, bounds(heartbeats, reports, claims))


def _latencies(bench: JobBench, pending: Sequence[int], running: int) -> list[Latency]:
    """With few trainings at first, then also with `running` of them."""
    found, there = [], 0
    for size in pending:
        for first in range(there, size, _BATCH):
            bench.do(add_jobs, min(_BATCH, size - first), first)
        there = size
        prepare(bench)
        found.append(claim_latency(bench, size, 0, 200))
    bench.do(add_jobs, running, running=True)
    prepare(bench)
    return [*found, claim_latency(bench, there, running, 200)]


def _panels(outcomes: Sequence[Outcome], load: Load) -> list[Panel]:
    def line(outcome: Outcome, small: bool) -> Line:
        first = load.owners // 2 if small else 0
        points = [
            (sample.at / 3600, float(sum(sample.waiting[first:])))
            for sample in outcome.samples
            if sample.at <= load.horizon
        ]
        return Line(outcome.policy.name, thinned(points))

    real = [sample for sample in outcomes[0].samples if sample.at <= load.horizon]
    busy = [(sample.at / 3600, float(sum(sample.running))) for sample in real]
    return [
        Panel("Trainings running", "hours", [Line("all owners", thinned(busy))]),
        Panel("Jobs waiting", "hours", [line(outcome, False) for outcome in outcomes], logarithmic=True),
        Panel(
            "Jobs waiting, of the small half of owners",
            "hours",
            [line(outcome, True) for outcome in outcomes],
            logarithmic=True,
        ),
    ]


def main() -> None:
    """Everything at full size, unless told otherwise."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queue_simulation")
    parser.add_argument("--workers", type=int, default=Load.workers)
    parser.add_argument("--jobs", type=int, default=Load.jobs)
    parser.add_argument("--seed", type=int, default=Load.seed)
    parser.add_argument("--demand", type=float, default=Load.demand, help="work asked for over what workers can do")
    parser.add_argument("--skip", choices=["simulation", "database"], help="leave one half out")
    parser.add_argument("--out", type=Path, default=Path("build/queue-simulation"), help="folder for what is written")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    document: dict[str, object] = {"machine": machine()}
    tables = [f"Measured on {machine()}.\n"]
    if options.skip != "simulation":
        load = Load(workers=options.workers, jobs=options.jobs, seed=options.seed, demand=options.demand)
        summaries, panels = simulate(load)
        tables.append(simulation_tables(summaries))
        document |= {"load": asdict(load), "runs": [asdict(one) for one in summaries]}
        (options.out / "queue.svg").write_text(svg(panels), encoding="utf-8")
    if options.skip != "database":
        costs = measure(PENDING, RUNNING, CONNECTIONS, 5.0)
        tables.append(cost_tables(costs))
        document |= {"costs": asdict(costs)}
    (options.out / "report.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (options.out / "report.md").write_text("\n".join(tables), encoding="utf-8")
    print("\n".join(tables))


if __name__ == "__main__":
    main()
