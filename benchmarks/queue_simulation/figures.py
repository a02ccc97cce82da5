"""What a run comes to: waits, shares, how busy the workers were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.queue_simulation.cluster import Job, Outcome, Sample
from benchmarks.queue_simulation.load import PRIORITIES, Load
from kargah.domain.job_state import Status


@dataclass(frozen=True)
class Waits:
    """Seconds in the queue, of all attempts of a job together."""

    jobs: int
    p50: float
    p95: float
    p99: float
    longest: float


@dataclass(frozen=True)
class Summary:
    """`jain` is 1 when owners with waiting jobs hold equally many workers, 1/n when one holds all of them (mean over
    the moments at which several wait). `utilisation`: of the workers, until the last job arrived. The owner with a
    quota waits for itself and is in no figure but its own."""

    policy: str
    by_priority: dict[str, Waits]
    small_owners: Waits
    busiest_owner: Waits
    owner_with_quota: Waits
    jain: float
    utilisation: float
    starved: float
    claims: int
    crashes: int
    completed: int
    failed: int
    lost_hours: float
    simulated_hours: float


def summarise(outcome: Outcome, load: Load) -> Summary:
    """The figures of one run."""
    jobs = [job for job in outcome.jobs if job.owner not in load.quotas]
    arriving = [sample for sample in outcome.samples if sample.at <= load.horizon]
    busy = sum(sum(sample.running) for sample in arriving) / max(1, len(arriving) * load.workers)
    by_priority = {f"{level:+d}": _waits([job for job in jobs if job.priority == level]) for level in PRIORITIES}
    return Summary(
        policy=outcome.policy.name,
        by_priority={**by_priority, "all": _waits(jobs)},
        small_owners=_waits([job for job in jobs if job.owner >= load.owners // 2]),
        busiest_owner=_waits([job for job in jobs if job.owner == 0]),
        owner_with_quota=_waits([job for job in outcome.jobs if job.owner in load.quotas]),
        jain=_mean([value for sample in arriving if (value := _contended(sample, load)) is not None]),
        utilisation=busy,
        starved=max(job.waited for job in jobs),
        claims=outcome.claims,
        crashes=outcome.crashes,
        completed=sum(job.status is Status.COMPLETED for job in outcome.jobs),
        failed=sum(job.status is Status.ERROR for job in outcome.jobs),
        lost_hours=outcome.lost_seconds / 3600,
        simulated_hours=outcome.ended_at / 3600,
    )


def jain(values: Sequence[float]) -> float:
    """Jain's index of fairness: (sum x)^2 / (n sum x^2); 1 for all equal, also when all are 0."""
    squares = sum(value * value for value in values)
    return sum(values) ** 2 / (len(values) * squares) if squares else 1.0


def percentile(ordered: Sequence[float], share: float) -> float:
    """The value below which `share` (0-1) of the ascending `ordered` lie; 0 for none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _contended(sample: Sample, load: Load) -> float | None:
    """The index of owners who wait and are not at their quota; None unless two do."""
    shares = [
        float(running)
        for owner, (running, waiting) in enumerate(zip(sample.running, sample.waiting, strict=True))
        if waiting and running < load.quotas.get(owner, load.workers)
    ]
    return jain(shares) if len(shares) > 1 else None


def _waits(jobs: Sequence[Job]) -> Waits:
    ordered = sorted(job.waited for job in jobs)
    return Waits(
        jobs=len(ordered),
        p50=percentile(ordered, 0.5),
        p95=percentile(ordered, 0.95),
        p99=percentile(ordered, 0.99),
        longest=ordered[-1] if ordered else 0.0,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 1.0
