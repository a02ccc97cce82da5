"""How long a job stood still after a death, and what was lost by it."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tests.soak.evidence import JobEvidence
from tests.soak.injector import Done

_DEATHS = ("kill trainer", "kill agent", "zombie", "partition")


@dataclass(frozen=True)
class Recovery:
    """Seconds from a fault to the next step stored by a later attempt. `undisturbed`: no other death of the same job
    and no restart of a server fell into it."""

    kind: str
    seconds: float
    undisturbed: bool


def standstill(done: Sequence[Done], jobs: Mapping[str, JobEvidence]) -> float:
    """Seconds that jobs stood still between a death and the next step, summed over jobs; overlaps count once."""
    total = 0.0
    for job_id, of_job in _deaths(done).items():
        covered = 0.0
        for death in sorted(of_job, key=lambda one: one.at):
            after = _next_step(jobs[job_id], death) if job_id in jobs else None
            if after is not None:
                total += max(0.0, after - max(death.at, covered))
                covered = max(covered, after)
    return total


def recoveries(done: Sequence[Done], jobs: Mapping[str, JobEvidence]) -> list[Recovery]:
    """Of each death after which the job trained on; one that only had to be registered has no next step."""
    outages = [one for one in done if one.kind.startswith("restart")]
    found = []
    for job_id, of_job in _deaths(done).items():
        for death in of_job:
            after = _next_step(jobs[job_id], death) if job_id in jobs else None
            if after is not None:
                others = [one.at for one in of_job if one is not death]
                alone = not any(death.at <= at <= after for at in others) and not _overlaps(outages, death.at, after)
                found.append(Recovery(death.kind, after - death.at, alone))
    return found


def summary(found: Iterable[Recovery]) -> dict[str, dict[str, float]]:
    """Median and maximum in seconds of the undisturbed ones by kind, and of all."""
    groups: dict[str, list[float]] = defaultdict(list)
    for one in found:
        groups["all, disturbed ones too"].append(one.seconds)
        if one.undisturbed:
            groups[one.kind].append(one.seconds)
    return {
        kind: {"count": len(values), "median": round(statistics.median(values), 2), "max": round(max(values), 2)}
        for kind, values in sorted(groups.items())
    }


def _deaths(done: Sequence[Done]) -> Mapping[str, list[Done]]:
    deaths: dict[str, list[Done]] = defaultdict(list)
    for one in done:
        if one.kind in _DEATHS and one.job_id is not None:
            deaths[one.job_id].append(one)
    return deaths


def _next_step(job: JobEvidence, death: Done) -> float | None:
    generation = death.generation or 0
    return min(
        (point.at for point in job.points if point.generation > generation and point.at > death.at), default=None
    )


def _overlaps(outages: Iterable[Done], began: float, ended: float) -> bool:
    return any(outage.at <= ended and (outage.ended or outage.at) >= began for outage in outages)
