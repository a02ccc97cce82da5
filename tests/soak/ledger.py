"""The campaign's account: what must be zero, and what was done to make it otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.soak import checks
from tests.soak.evidence import Evidence, JobEvidence
from tests.soak.injector import Done
from tests.soak.mutilate import Damage
from tests.soak.recovery import recoveries, standstill, summary
from tests.soak.reference import Reference

_SHOWN = 20
ZEROS: Mapping[str, str] = {
    "jobs_lost": "jobs lost",
    "jobs_doubled": "jobs nobody submitted",
    "jobs_in_error": "jobs ended in error",
    "steps_missing": "steps missing",
    "steps_doubled": "steps doubled",
    "stale_writes": "stale writes accepted",
    "corrupt_loaded": "corrupt checkpoints loaded",
    "losses_different": "losses not identical",
    "weights_different": "final weights not identical",
    "services_ended": "processes that ended by themselves",
}


@dataclass
class Ledger:
    """`zeros` by key of ZEROS, `findings` tell the first of each in words; `facts` are everything else."""

    zeros: dict[str, int] = field(default_factory=dict)
    findings: dict[str, list[str]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        return not any(self.zeros.values())

    def add(self, key: str, found: Sequence[str]) -> None:
        """Count `found` in the row `key`."""
        self.zeros[key] = self.zeros.get(key, 0) + len(found)
        self.findings[key] = [*self.findings.get(key, []), *found][:_SHOWN]


@dataclass(frozen=True)
class Account:
    """What a ledger is drawn from. `trained` names the reference of each job accepted, `fallen` are processes that
    ended by themselves."""

    evidence: Evidence
    trained: Mapping[str, str]
    truth: Mapping[str, Reference]
    done: Sequence[Done]
    damages: Sequence[tuple[float, Damage]]
    fallen: Sequence[str]


def draw_up(account: Account) -> Ledger:
    """Ask all questions of all jobs."""
    ledger = Ledger({key: 0 for key in ZEROS})
    evidence = account.evidence
    ledger.add("jobs_doubled", evidence.strange)
    ledger.add("stale_writes", [str(write) for write in evidence.stale])
    ledger.add("services_ended", account.fallen)
    for job in evidence.jobs.values():
        _judge(ledger, job, account.truth[account.trained[job.id]], account.damages)
    ledger.facts |= _facts(account)
    return ledger


def _judge(ledger: Ledger, job: JobEvidence, truth: Reference, damages: checks.Damages) -> None:
    ledger.add("steps_doubled", checks.doubled_steps(job, truth))
    ledger.add("losses_different", checks.different_losses(job, truth))
    ledger.add("corrupt_loaded", checks.corrupt_loads(job, damages))
    match job.status:
        case "completed":
            ledger.add("steps_missing", checks.missing_steps(job, truth))
            if job.weights != truth.weights:
                ledger.add("weights_different", [f"{job.id}: {job.weights} instead of {truth.weights}"])
        case "error":
            ledger.add("jobs_in_error", [f"{job.id}: {job.error}"])
        case _:
            ledger.add("jobs_lost", [f"{job.id} is {job.status} at attempt {job.attempts}"])


def _facts(account: Account) -> dict[str, Any]:
    jobs = account.evidence.jobs
    found = recoveries(account.done, jobs)
    redone = {job.id: checks.redone_steps(job) for job in jobs.values()}
    seconds = sum(count * account.truth[account.trained[job_id]].step_seconds for job_id, count in redone.items())
    still = standstill(account.done, jobs)
    return {
        "jobs submitted": len(jobs),
        "jobs done": sum(job.status == "completed" for job in jobs.values()),
        "attempts": sum(job.attempts for job in jobs.values()),
        "resumes from a checkpoint": sum(checks.resumes(job) for job in jobs.values()),
        "steps trained": sum(len({point.step for point in job.points}) for job in jobs.values()),
        "steps redone": sum(redone.values()),
        "damaged checkpoints passed over": sum(job.damaged_met for job in jobs.values()),
        "losses compared": sum(len(job.points) for job in jobs.values()),
        "time lost, seconds": round(still + seconds, 1),
        "of it from deaths to next steps": round(still, 1),
        "of it in steps done again": round(seconds, 1),
        "recovery": summary(found),
    }
