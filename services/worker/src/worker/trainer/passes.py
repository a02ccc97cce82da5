"""Sending a set of tasks through the model in as many passes as memory allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from worker.trainer import rng
from worker.trainer.context import RunContext
from worker.trainer.cross_entropy import summed_cross_entropy
from worker.trainer.device import Device, is_out_of_memory
from worker.trainer.errors import TrainingError
from worker.trainer.layout import Batch, Layout
from worker.trainer.learner import Learner
from worker.trainer.objective import Index, Task

Result = TypeVar("Result")

_SMALLEST = 16


@dataclass(frozen=True)
class Measure:
    """Sums over predictions: `loss`, `correct` and their `count`; `predicted` in the order of the tasks' targets."""

    loss: float
    correct: int
    count: int
    predicted: Index
    targets: Index


@dataclass(frozen=True)
class Trained:
    """Sums of one accumulation, scalars on the device."""

    loss: Tensor
    correct: Tensor


@dataclass(frozen=True)
class CommonRounds:
    """Passes that all processes of a run make together: `most` is the greatest of their numbers, and a process that has
    nothing left sends `idle` through the model, which counts for nothing."""

    most: Callable[[int], int]
    idle: Task


class Passes:
    """Owns the token budget: halved, and told, when the device runs out of memory; the work is then done again."""

    def __init__(
        self,
        learner: Learner,
        layout: Layout,
        device: Device,
        budget: int,
        context: RunContext,
        beat: Callable[[], None],
        common: CommonRounds | None = None,
    ) -> None:
        self.budget = budget
        self._learner = learner
        self._layout = layout
        self._device = device
        self._context = context
        self._beat = beat
        self._common = common

    @property
    def whole(self) -> bool:
        """Whether this process makes its passes without the others."""
        return self._common is None

    def accumulate(self, tasks: Sequence[Task], count: int) -> Trained:
        """Add the gradients of the summed loss over all targets of `tasks` divided by `count`; the model must have none
        before."""
        random = rng.capture()

        def again() -> None:
            self._learner.model.zero_grad(set_to_none=True)
            rng.restore(random)

        return self._fitting(tasks, lambda: self._accumulate(tasks, count), again)

    def narrow(self, budget: int) -> None:
        """Another process of this run had to go down to so few tokens: so does this one."""
        if budget < self.budget:
            self._tell_halved(self.budget, budget)
            self.budget = budget

    def measure(self, tasks: Sequence[Task], on_tasks: Callable[[int], None]) -> Measure:
        """Without gradients. `on_tasks` hears after each pass how many are done: none again after a lack of memory."""
        with torch.no_grad():
            return self._fitting(tasks, lambda: self._measure(tasks, on_tasks), lambda: None)

    def _rounds(self, tasks: Sequence[Task]) -> list[list[Task]]:
        """What goes through the model at once, without what has no target: that teaches nothing and measures nothing.
        Empty ones follow where other processes have more."""
        groups = self._layout.group([len(task.ids) for task in tasks], self.budget) if tasks else []
        rounds = [[tasks[index] for index in group] for group in groups]
        rounds = [each for each in rounds if any(len(task.targets) for task in each)]
        if self._common is None:
            return rounds
        return rounds + [[] for _ in range(self._common.most(len(rounds)) - len(rounds))]

    def _build(self, tasks: Sequence[Task]) -> Batch:
        idle = [self._common.idle] if self._common is not None else []
        return self._layout.build(tasks or idle, self._device.torch)

    def _accumulate(self, tasks: Sequence[Task], count: int) -> Trained:
        loss = torch.zeros((), device=self._device.torch)
        correct = torch.zeros((), device=self._device.torch)
        for each in self._rounds(tasks):
            batch = self._build(each)
            summed, hits = summed_cross_entropy(self._learner.logits(batch).float(), batch.targets)
            if not each:
                summed, hits = summed * 0, hits * 0
            self._device.accelerator.backward(summed / count)
            loss += summed.detach()
            correct += hits
            self._beat()
        return Trained(loss, correct)

    def _measure(self, tasks: Sequence[Task], on_tasks: Callable[[int], None]) -> Measure:
        loss, done = 0.0, 0
        predicted: list[Tensor] = []
        targets: list[Tensor] = []
        for each in self._rounds(tasks):
            batch = self._build(each)
            logits = self._learner.logits(batch).float()
            if not each:
                continue
            loss += float(summed_cross_entropy(logits, batch.targets)[0])
            predicted.append(logits.argmax(-1).cpu())
            targets.append(batch.targets.cpu())
            done += len(each)
            on_tasks(done)
            self._beat()
        found, wanted = _joined(predicted), _joined(targets)
        return Measure(loss, int((found == wanted).sum()), len(wanted), found, wanted)

    def _fitting(self, tasks: Sequence[Task], work: Callable[[], Result], again: Callable[[], None]) -> Result:
        while True:
            try:
                return work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self._common is not None:
                    raise self._too_large() from error
                self._halve(max(len(task.ids) for task in tasks), sum(len(task.ids) for task in tasks), error)
            if self._device.is_gpu:
                torch.cuda.empty_cache()
            again()

    def _halve(self, longest: int, total: int, error: BaseException) -> None:
        before = min(self.budget, total)
        if before <= max(longest, _SMALLEST):
            raise TrainingError(
                "out_of_memory",
                f"A single row of {longest} tokens does not fit into the device's memory.",
                "Lower max_length, switch gradient_checkpointing on, use LoRA, or take a smaller model.",
            ) from error
        self.budget = max(before // 2, _SMALLEST)
        self._tell_halved(before, self.budget)

    def _too_large(self) -> TrainingError:
        """The others are amid the same pass: this process cannot do it again alone."""
        return TrainingError(
            "out_of_memory",
            f"A pass of at most {self.budget} tokens does not fit into the memory of a device.",
            "Set max_tokens_per_batch to fewer, switch gradient_checkpointing on, or give the job more devices.",
        )

    def _tell_halved(self, before: int, now: int) -> None:
        self._context.event("micro_batch_halved", {"tokens_before": before, "tokens": now})
        self._context.log(f"Out of memory with {before} tokens at a time: going on with {now}", "warning")


def _joined(parts: Sequence[Tensor]) -> Index:
    return torch.cat(list(parts)).numpy() if parts else np.zeros(0, dtype=np.int64)
