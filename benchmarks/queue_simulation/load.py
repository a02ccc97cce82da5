"""Who submits what and when: heavy-tailed owners, sweeps and lengths, the same for the same seed."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from itertools import accumulate

PRIORITIES = (-1, 0, 1, 3, 10)
_PRIORITY_WEIGHTS = (10, 70, 12, 6, 2)
_ZIPF = 1.1
_SWEEP_TAIL = 1.3  # Pareto: few sweeps hold most jobs
_LONGEST_SWEEP = 5000
_SIGMA = 1.5
_LONGEST_SECONDS = 6 * 3600.0
_DAY_SECONDS = 6 * 3600.0
_SWING = 0.6


@dataclass(frozen=True)
class Load:
    """`demand` is the asked for work over what the workers could do while jobs arrive. A `poison` job kills its
    trainer at every attempt. Owners are numbered, the busiest first; `quotas` by number."""

    workers: int = 10_000
    jobs: int = 1_000_000
    owners: int = 40
    demand: float = 0.95
    mean_seconds: float = 600.0
    poison: float = 0.001
    seed: int = 1

    @property
    def horizon(self) -> float:
        """Seconds within which all jobs arrive."""
        return self.jobs * self.mean_seconds / (self.workers * self.demand)

    @property
    def quotas(self) -> dict[int, int]:
        """The second busiest owner may use three of twenty workers."""
        return {1: max(1, 3 * self.workers // 20)}


@dataclass(frozen=True, slots=True)
class Arrival:
    at: float
    owner: int
    priority: int
    seconds: float
    poison: bool


def arrivals(load: Load) -> list[Arrival]:
    """All jobs by time. Owners submit sweeps: jobs of one priority within a few seconds."""
    dice = random.Random(load.seed)
    weights = list(accumulate((rank + 1) ** -_ZIPF for rank in range(load.owners)))
    found: list[Arrival] = []
    while len(found) < load.jobs:
        owner = dice.choices(range(load.owners), cum_weights=weights)[0]
        size = min(int(dice.paretovariate(_SWEEP_TAIL)), _LONGEST_SWEEP, load.jobs - len(found))
        priority = dice.choices(PRIORITIES, _PRIORITY_WEIGHTS)[0]
        start = _moment(dice, load.horizon)
        found += [_one(dice, load, start + number * 0.01, owner, priority) for number in range(size)]
    return sorted(found, key=lambda arrival: arrival.at)


def _one(dice: random.Random, load: Load, at: float, owner: int, priority: int) -> Arrival:
    mu = math.log(load.mean_seconds) - _SIGMA**2 / 2
    seconds = min(dice.lognormvariate(mu, _SIGMA), _LONGEST_SECONDS)
    return Arrival(at, owner, priority, seconds, dice.random() < load.poison)


def _moment(dice: random.Random, horizon: float) -> float:
    """More by day than by night; a day lasts six hours here, so that a run sees several."""
    while True:
        at = dice.random() * horizon
        if dice.random() * (1 + _SWING) < 1 + _SWING * math.sin(2 * math.pi * at / _DAY_SECONDS):
            return at
