"""How long a run is, and when it pauses to evaluate and to save."""

from __future__ import annotations

from dataclasses import dataclass

from worker.recipes.params import CommonParams
from worker.trainer.sampler import Sampler
from worker.trainer.schedule import Schedule


@dataclass(frozen=True)
class Plan:
    """Steps are counted from 1 when finished; step 0 is before training."""

    sampler: Sampler
    schedule: Schedule
    total: int
    eval_at_start: bool
    checkpoint_steps: int | None

    @classmethod
    def of(cls, params: CommonParams, items: int) -> Plan:
        sampler = Sampler(items, params.batch_size * params.gradient_accumulation, params.seed)
        total = params.epochs * sampler.steps_per_epoch
        total = total if params.max_steps is None else min(total, params.max_steps)
        schedule = Schedule(params.lr_schedule, params.learning_rate, int(params.warmup_ratio * total), total)
        return cls(sampler, schedule, total, params.eval_at_start, params.checkpoint_steps)

    def epoch(self, step: int) -> float:
        """How many epochs have been gone through after `step` steps."""
        return round(step / self.sampler.steps_per_epoch, 6)

    @property
    def epochs(self) -> float:
        return self.epoch(self.total)

    def ends_epoch(self, step: int) -> bool:
        return step > 0 and step % self.sampler.steps_per_epoch == 0

    def evaluates(self, step: int) -> bool:
        return self.eval_at_start if step == 0 else self.ends_epoch(step) or step == self.total

    def evaluations_after(self, step: int) -> int:
        ends = self.total // self.sampler.steps_per_epoch - step // self.sampler.steps_per_epoch
        return ends + (0 if self.ends_epoch(self.total) else 1)

    def saves(self, step: int) -> bool:
        every = self.checkpoint_steps
        return step > 0 and every is not None and step % every == 0
