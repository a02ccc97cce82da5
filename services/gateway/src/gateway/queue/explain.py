"""From a row of the queue to what a person is told: the parts of its score, who is ahead, why it waits."""

from __future__ import annotations

from collections.abc import Sequence

from kargah.contracts.queue import Ahead, QueueEntry, Score, Wait
from kargah.domain.queue_policy import PRIORITY_SECONDS, LivingWorker, rivals
from kargah.domain.scope import EVERY
from kargah.jobstore.queue_view_repository import WaitingJob

SHOWN_AHEAD = 5


def explain_first(
    jobs: Sequence[WaitingJob], workers: Sequence[LivingWorker], project: str, limit: int
) -> list[QueueEntry]:
    """An entry for each of the first `limit` of `jobs` that `project` may see; they are the whole beginning of the
    queue."""
    mine = [(place, job) for place, job in enumerate(jobs) if may_see(project, job)][:limit]
    entries = []
    for place, job in mine:
        kinds = rivals(job.kind, workers) or {job.kind}
        before = [other for other in jobs[:place] if other.kind in kinds]
        first = [other.job_id for other in before if may_see(project, other)][:SHOWN_AHEAD]
        entries.append(explain(job, Ahead(count=len(before), first=first), workers))
    return entries


def may_see(project: str, job: WaitingJob) -> bool:
    """Whether those who work for `project` may know that this job waits."""
    return project in (EVERY, job.owner)


def explain(job: WaitingJob, ahead: Ahead, workers: Sequence[LivingWorker]) -> QueueEntry:
    """`ahead` are the jobs that the same workers take before it, named where they are the same project's."""
    able = [worker for worker in workers if job.kind in worker.kinds and job.devices <= worker.devices]
    reason = _reason(job, ahead, able)
    return QueueEntry(
        job_id=job.job_id,
        name=job.name,
        kind=job.kind,
        owner=job.owner,
        priority=job.priority,
        position=ahead.count + 1,
        queued_at=job.queued_at,
        score=_score(job),
        ahead=ahead,
        reason=reason,
        why=_sentence(reason, job, ahead, able, workers),
    )


def _score(job: WaitingJob) -> Score:
    priority = job.priority * PRIORITY_SECONDS
    return Score(
        waited=round(job.waited_seconds, 1),
        priority=priority,
        fair_share=job.share_seconds,
        total=round(job.waited_seconds + priority - job.share_seconds, 1),
    )


def _reason(job: WaitingJob, ahead: Ahead, able: Sequence[LivingWorker]) -> Wait:
    if not able:
        return Wait.NO_WORKER
    if not job.ready:
        return Wait.BACKING_OFF
    if job.held:
        return Wait.OWNER_AT_QUOTA
    return Wait.BEHIND_OTHERS if ahead.count else Wait.NEXT


def _sentence(
    reason: Wait, job: WaitingJob, ahead: Ahead, able: Sequence[LivingWorker], workers: Sequence[LivingWorker]
) -> str:
    match reason:
        case Wait.NO_WORKER:
            return _no_worker(job, workers)
        case Wait.BACKING_OFF:
            return _backing_off(job)
        case Wait.OWNER_AT_QUOTA:
            return _at_quota(job)
        case Wait.BEHIND_OTHERS:
            return _behind(job, ahead, len(able))
        case Wait.NEXT:
            return _next(able)


def _no_worker(job: WaitingJob, workers: Sequence[LivingWorker]) -> str:
    if not workers:
        return "No worker is alive: start one."
    if taking := [worker.devices for worker in workers if job.kind in worker.kinds]:
        return f"It asks for {job.devices} devices, and no living worker has more than {max(taking)}."
    taken = ", ".join(sorted({kind for worker in workers for kind in worker.kinds}))
    return f"No living worker takes jobs of kind {job.kind}; those that are there take {taken}."


def _backing_off(job: WaitingJob) -> str:
    cause = "" if job.error is None else f" ({job.error.get('code')}: {job.error.get('message')})"
    after = f"after crash {job.crashes}" if job.crashes else "after its last attempt"
    return f"It is tried again at {job.queued_at:%H:%M:%S} UTC, {after}{cause}."


def _at_quota(job: WaitingJob) -> str:
    quota = f"{job.owner} runs {job.running} of {job.max_running} trainings"
    if job.max_running is not None and job.running < job.max_running:
        return f"{quota}; before it goes: {_jobs(job.before)} of the same owner."
    if job.max_running == 0:
        return f"{job.owner} may run no trainings: the quota is 0."
    return f"{quota}: it may start when one of them has ended."


def _behind(job: WaitingJob, ahead: Ahead, able: int) -> str:
    share = ""
    if job.share_seconds:
        turn = "has running or waiting before it" if job.before else "runs"
        share = f"; the trainings that {job.owner} {turn} hold it back by {job.share_seconds:.0f} s"
    return f"{_jobs(ahead.count)} ahead, for {_workers(able)}{share}."


def _next(able: Sequence[LivingWorker]) -> str:
    if any(worker.job_id is None for worker in able):
        return "It is next, and a worker is idle: it starts within seconds."
    free = "the worker" if len(able) == 1 else f"one of {len(able)} workers"
    return f"It is next, as soon as {free} is free."


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
