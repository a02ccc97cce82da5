"""The loop that all recipes share: steps, evaluations and checkpoints, exactly resumable."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from kargah.contracts.runs import ProgressMessage
from worker.trainer import checkpoint, rng
from worker.trainer.buffers import Buffers
from worker.trainer.checkpoint import Identity
from worker.trainer.checkpoint_writer import CheckpointWriter, Reason
from worker.trainer.context import Phase, RunContext
from worker.trainer.errors import TrainingError
from worker.trainer.evaluation import evaluate
from worker.trainer.evaluation_count import EvaluationCount
from worker.trainer.items import Item
from worker.trainer.material import Material, Sample
from worker.trainer.objective import Task
from worker.trainer.pace import Pace
from worker.trainer.passes import Passes, Trained
from worker.trainer.peak_memory import peak_memory
from worker.trainer.plan import Plan
from worker.trainer.pulse import Pulse
from worker.trainer.ranks.sharding import whole
from worker.trainer.ranks.team import Team
from worker.trainer.rows import IntArray
from worker.trainer.sampler import sampler_chain
from worker.trainer.samples import Samples
from worker.trainer.state import Point, RunState
from worker.trainer.token_store import TokenStore

_LOG_SECONDS = 1.0


@dataclass
class Parts:
    """Everything the loop works with, made by `worker.trainer.fit`. `train` and `held_out` are item numbers.
    `sharded`: the processes' shares of the model are divided already, its gradients with them."""

    context: RunContext
    material: Material
    plan: Plan
    passes: Passes
    store: TokenStore
    train: IntArray
    held_out: IntArray
    optimizer: torch.optim.Optimizer
    accelerator: Any
    max_grad_norm: float
    writer: CheckpointWriter
    identity: Identity
    samples: Samples
    pulse: Pulse
    pace: Pace
    team: Team
    sharded: bool = False


class Loop:
    """Between two steps, `state`, weights, optimizer and generators belong together: that is when snapshots are taken.

    An Interruption may come out of `run`; weights and optimizer are then as after step `state.step`, and
    `save` puts the generators back to that point.
    """

    def __init__(self, parts: Parts, state: RunState) -> None:
        self.parts = parts
        self.state = state
        self._random = rng.capture()
        self._buffers = Buffers()
        self._saved = state.step
        self._logged = 0.0
        self._fruitless = 0
        self._phase: Phase = "preparing"
        self._count = EvaluationCount(parts.context.log)

    def run(self) -> bool:
        """Train until the plan's end, True, or until a stop is asked for, False."""
        while True:
            self._random = rng.capture()
            self._meet()
            if self.parts.plan.evaluates(self.state.step):
                self.measure()
            if self.state.step < self.parts.plan.total:
                self._enter("training")
            self._save_if_due()
            if self.parts.context.ending() == "stop":
                self.save("stop")
                return False
            if self.state.step >= self.parts.plan.total:
                return True
            self._step()

    def measure(self) -> None:
        """Evaluate the held-out rows, once per step, and answer the samples before the first."""
        state, parts = self.state, self.parts
        if state.evaluated == state.step:
            return
        objective, numbers = parts.material.objective, parts.held_out.tolist()
        began = time.monotonic()
        self._count.begin(len(numbers))
        self._enter("evaluating")
        parts.material.model.eval()
        try:
            values = evaluate(
                parts.passes, parts.store, objective, numbers, parts.team, self._count.advance, self._meet
            )
            if state.step == 0 and not state.sampled:
                self._answer("before")
                state.sampled = True
        finally:
            parts.material.model.train()
        self._check("evaluation loss", values.get("eval_loss", 0.0))
        self._measured(values, time.monotonic() - began)

    def answer_samples(self) -> list[Sample]:
        """The answers after training."""
        model = self.parts.material.model
        self._enter("evaluating")
        model.eval()
        try:
            return self._answer("after")
        finally:
            model.train()

    def _answer(self, when: Literal["before", "after"]) -> list[Sample]:
        """Nothing on the processes that only wait for the one that answers. Raises Interruption."""
        answers: list[Sample] = []
        with self.parts.team.apart(whole=not self.parts.sharded):
            answers = self.parts.samples.show(when)
        self._meet()
        return answers

    def save(self, reason: Reason) -> None:
        """Snapshot the state after the last finished step, and write it in the background."""
        parts, state = self.parts, self.state
        parts.optimizer.zero_grad(set_to_none=True)
        rng.restore(self._random)
        state.budget = parts.passes.budget
        self._saved = state.step
        if not parts.team.leads:
            if parts.sharded:
                checkpoint.attend(parts.material.model, parts.optimizer)
            return
        parts.writer.settle()
        snapshot = checkpoint.take(
            parts.material.model, parts.optimizer, self._random, state, parts.identity, self._buffers
        )
        parts.writer.write(snapshot, parts.plan.epoch(state.step), reason)

    def progress(self) -> ProgressMessage:
        """Where it stands; 100 % is only reached once the output is handed over."""
        plan, state, pace = self.parts.plan, self.state, self.parts.pace
        rest = pace.remaining(plan.total - state.step, plan.evaluations_after(state.step))
        progress = ProgressMessage(
            percent=round(99.0 * state.step / plan.total, 3),
            step=state.step,
            total_steps=plan.total,
            epoch=plan.epoch(state.step),
            epochs=plan.epochs,
            eta_seconds=None if rest is None else round(rest, 1),
            note=self._phase,
        )
        return self._count.tell(progress) if self._phase == "evaluating" else progress

    def _step(self) -> None:
        parts, state = self.parts, self.state
        began = time.monotonic()
        draw = parts.plan.sampler.epoch_of(state.step)
        numbers = parts.train[parts.plan.sampler.draw(state.step)].tolist()
        items: list[Item] = parts.store.get(numbers)
        prepare = parts.material.objective.prepare
        tasks = [prepare(item, number, draw) for item, number in zip(items, numbers, strict=True)]
        rate = parts.plan.schedule.at(state.step)
        values = {"learning_rate": rate}
        if count := sum(len(task.targets) for task in tasks):
            values |= self._update(self._train(tasks, count), count, rate)
            state.tokens += sum(len(task.ids) for task in tasks)
            self._fruitless = 0
        else:
            self._count_fruitless()
        state.step += 1
        state.sampler_sha256 = sampler_chain(state.sampler_sha256, numbers)
        seconds = time.monotonic() - began
        state.seconds += seconds
        parts.pace.stepped(seconds)
        values["tokens_per_second"] = sum(len(task.ids) for task in tasks) / seconds
        self._report(values)
        self._log_step(values)

    def _train(self, tasks: Sequence[Task], count: int) -> Trained:
        """Gradients and sums of the whole step, of which this process computes its share."""
        parts = self.parts
        parts.team.seed(parts.plan.sampler.seed, self.state.step)
        mine = parts.team.share(tasks, [len(task.ids) for task in tasks])
        trained = parts.passes.accumulate(mine, count)
        if not parts.sharded:
            parts.team.sum_gradients(self._trained_parameters())
        loss, correct = parts.team.total(torch.stack([trained.loss, trained.correct])).unbind()
        return Trained(loss, correct)

    def _trained_parameters(self) -> list[torch.nn.Parameter]:
        return [parameter for group in self.parts.optimizer.param_groups for parameter in group["params"]]

    def _update(self, trained: Trained, count: int, rate: float) -> dict[str, float]:
        """One look at the device for all numbers, before anything is changed."""
        parts = self.parts
        norm = parts.accelerator.clip_grad_norm_(self._trained_parameters(), parts.max_grad_norm or math.inf)
        norm = whole(norm).to(trained.loss)
        loss, correct, length = torch.stack([trained.loss, trained.correct, norm]).tolist()
        self._check("loss", loss)
        self._check("gradient", length)
        for group in parts.optimizer.param_groups:
            group["lr"] = rate
        parts.optimizer.step()
        parts.optimizer.zero_grad(set_to_none=True)
        return {"loss": loss / count, "accuracy": correct / count, "grad_norm": length}

    def _count_fruitless(self) -> None:
        """A few rows without anything to learn are skipped; a whole epoch of them is a mistake."""
        self._fruitless += 1
        if self._fruitless >= min(self.parts.plan.sampler.steps_per_epoch, self.parts.plan.total):
            raise TrainingError(
                "nothing_to_learn",
                "No row has anything to learn within the maximum length.",
                "Raise max_length, or check that the rows have answers.",
            )

    def _check(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            self.parts.pulse.tell()  # how far it came
            raise TrainingError(
                "nan_loss",
                f"The {what} is {value} at step {self.state.step + 1} of {self.parts.plan.total}.",
                "Lower the learning rate, lengthen the warm-up, or check the rows for broken text.",
            )

    def _measured(self, values: dict[str, float], seconds: float) -> None:
        state = self.state
        state.evaluated = state.step
        if not values:
            return
        self.parts.pace.evaluated(seconds)
        state.evaluation_seconds = seconds
        state.latest = values
        if state.step == 0:
            state.before = values
        self._report(values)
        told = ", ".join(f"{name} {value:.4g}" for name, value in values.items())
        self.parts.context.log(f"Held-out rows after step {state.step}: {told}")

    def _report(self, values: dict[str, float]) -> None:
        epoch = self.parts.plan.epoch(self.state.step)
        self.state.history.append(Point(step=self.state.step, epoch=epoch, values=values))
        self.parts.context.metrics(self.state.step, epoch, values)

    def _log_step(self, values: dict[str, float]) -> None:
        now, plan, step = time.monotonic(), self.parts.plan, self.state.step
        if now - self._logged < _LOG_SECONDS and 1 < step < plan.total:
            return
        self._logged = now
        self.parts.context.metrics(step, plan.epoch(step), {"memory_bytes": peak_memory(self.parts.accelerator.device)})
        told = ", ".join(f"{name} {values[name]:.4g}" for name in ("loss", "accuracy", "grad_norm") if name in values)
        speed = f"{values['tokens_per_second']:.0f} tokens/s"
        self.parts.context.log(f"Step {step}/{plan.total}, epoch {plan.epoch(step):.2f}: {told}, {speed}")

    def _save_if_due(self) -> None:
        plan, step = self.parts.plan, self.state.step
        if self.parts.context.checkpoint_requested():
            self.save("requested")
        elif step == self._saved:
            return
        elif plan.ends_epoch(step) or step == plan.total:
            self.save("epoch" if plan.ends_epoch(step) else "final")
        elif plan.saves(step) or self.parts.team.decide(self.parts.writer.due):
            self.save("interval")

    def _meet(self) -> None:
        """All processes of the run hear the same, and interrupt themselves in the same place. Raises Interruption."""
        self.parts.passes.narrow(self.parts.team.meet(self.parts.passes.budget))
        self.parts.pulse.listen()

    def _enter(self, phase: Phase) -> None:
        if phase != self._phase:
            self._phase = phase
            self.parts.context.phase(phase)
            self.parts.pulse.tell()
