"""The questions that a campaign asks of each job's evidence. Each answers with what is wrong, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tests.soak.evidence import JobEvidence, Point, Sighting
from tests.soak.mutilate import Damage
from tests.soak.reference import Reference

Damages = Sequence[tuple[float, Damage]]


def missing_steps(job: JobEvidence, truth: Reference) -> list[str]:
    """Steps without a loss in the end, and steps that an attempt left out between where it began and its last one."""
    shown = {step for step, _ in job.losses}
    found = [f"{job.id}: step {step} has no loss" for step in truth.losses if step not in shown]
    for generation, points in _by_attempt(job).items():
        steps = {point.step for point in points}
        first = _beginning(job, generation) + 1
        gaps = [step for step in range(first, max(steps)) if step not in steps]
        found += [f"{job.id}: attempt {generation} left out step {step}" for step in gaps]
    return found


def doubled_steps(job: JobEvidence, truth: Reference) -> list[str]:
    """Steps shown twice or beyond the end, trained twice by one attempt, or again after the state that holds them."""
    steps = [step for step, _ in job.losses]
    found = [
        f"{job.id}: step {step} is shown {steps.count(step)} times" for step in set(steps) if steps.count(step) > 1
    ]
    found += [f"{job.id}: step {step} is beyond the end" for step in steps if step not in truth.losses]
    for generation, points in _by_attempt(job).items():
        values: dict[int, set[float]] = defaultdict(set)
        for point in points:
            values[point.step].add(point.value)
        found += [
            f"{job.id}: attempt {generation} trained step {step} twice" for step in values if len(values[step]) > 1
        ]
        began = _beginning(job, generation)
        found += [
            f"{job.id}: attempt {generation} resumed after step {began} and trained step {step} again"
            for step in values
            if step <= began
        ]
    return found


def different_losses(job: JobEvidence, truth: Reference) -> list[str]:
    """Losses of any attempt, and of the history in the end, that are not the reference's to the last bit."""
    told = [(point.step, point.value, f"attempt {point.generation}") for point in job.points]
    told += [(step, value, "in the end") for step, value in job.losses]
    return [
        f"{job.id}: step {step} {when} is {value!r} instead of {truth.losses[step]!r}"
        for step, value, when in told
        if step in truth.losses and value != truth.losses[step]
    ]


def corrupt_loads(job: JobEvidence, damages: Damages) -> list[str]:
    """Attempts that resumed from a checkpoint which was mutilated before they were even claimed."""
    hurt = {damage.checkpoint_id: at for at, damage in damages if damage.job_id == job.id}
    found = []
    for generation, step, when in job.resumed:
        loaded = _loaded(job.checkpoints, step, when, generation)
        if loaded is not None and hurt.get(loaded.id, when) < job.claimed.get(generation, 0.0):
            found.append(f"{job.id}: attempt {generation} resumed from {loaded.id} (step {step}), which was damaged")
    return found


def resumes(job: JobEvidence) -> int:
    """Attempts that went on from a checkpoint."""
    return len({generation for generation, _, _ in job.resumed})


def redone_steps(job: JobEvidence) -> int:
    """Steps trained more than once, because a checkpoint was older than the death."""
    done = {(point.step, point.generation) for point in job.points}
    return len(done) - len({step for step, _ in done})


def _by_attempt(job: JobEvidence) -> Mapping[int, list[Point]]:
    grouped: dict[int, list[Point]] = defaultdict(list)
    for point in job.points:
        grouped[point.generation].append(point)
    return grouped


def _beginning(job: JobEvidence, generation: int) -> int:
    """The step after which an attempt began: as it told itself, 0 for a start from scratch."""
    return next((step for attempt, step, _ in job.resumed if attempt == generation), 0)


def _loaded(checkpoints: Iterable[Sighting], step: int, when: float, generation: int) -> Sighting | None:
    """The checkpoint that an attempt which resumed after `step` took: of those visible then, the newest."""
    visible: dict[str, Sighting] = {}
    for seen in checkpoints:
        if seen.at > when or seen.generation >= generation:
            continue
        if seen.visible:
            visible[seen.id] = seen
        else:
            visible.pop(seen.id, None)
    return max((one for one in visible.values() if one.step == step), key=lambda one: one.generation, default=None)
