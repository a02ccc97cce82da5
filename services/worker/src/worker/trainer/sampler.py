"""Which items a step sees: a function of the seed and the step, so that a cursor is all there is to save."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from worker.trainer.rows import IntArray


@dataclass(frozen=True)
class Sampler:
    """Plain shuffling: an epoch is a permutation of `count` items, cut into steps of `per_step`, the last shorter."""

    count: int
    per_step: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.count // self.per_step)

    def epoch_of(self, step: int) -> int:
        """The epoch, from 0, that the step after `step` finished ones is in."""
        return step // self.steps_per_epoch

    def draw(self, step: int) -> IntArray:
        """Positions, 0 to count - 1, that the step after `step` finished ones trains on."""
        within = step % self.steps_per_epoch
        order = _permutation(self.count, self.seed, self.epoch_of(step))
        return order[within * self.per_step : (within + 1) * self.per_step]


def sampler_chain(before: str, items: Sequence[int]) -> str:
    """The sha256 (hex) of one more step's items on top of `before`, which is empty at the start."""
    return hashlib.sha256(bytes.fromhex(before) + np.asarray(items, dtype="<i8").tobytes()).hexdigest()


@lru_cache(maxsize=2)
def _permutation(count: int, seed: int, epoch: int) -> IntArray:
    return np.random.default_rng([seed, epoch]).permutation(count)
