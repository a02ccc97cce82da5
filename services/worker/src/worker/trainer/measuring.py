"""From a session and a recipe's material to the figures of a model that is not trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from kargah.contracts.runs import ProgressMessage
from worker.trainer.choose_layout import choose_layout, describe_layout
from worker.trainer.device import token_budget
from worker.trainer.errors import TrainingError
from worker.trainer.evaluation import evaluate
from worker.trainer.evaluation_count import EvaluationCount
from worker.trainer.fit import open_store, shown_rows
from worker.trainer.learner import bare
from worker.trainer.material import Material, Sample
from worker.trainer.passes import Passes
from worker.trainer.placement import common_rounds, place
from worker.trainer.pulse import Pulse
from worker.trainer.session import Session


@dataclass(frozen=True)
class Measured:
    """`metrics` as of `evaluate`, over the first `rows` of the dataset; `samples` are answers to the first of them."""

    metrics: dict[str, float]
    rows: int
    samples: list[Sample]


def measure(session: Session, material: Material, max_rows: int | None) -> Measured:
    """Measure the first `max_rows` rows, or all, then answer samples. Raises TrainingError, Interruption."""
    count = EvaluationCount(session.context.log)
    pulse = Pulse(session.context, lambda: _progress(count))
    pulse.interruptible = True
    with session.team.lockstep():
        return _measured(session, material, max_rows, pulse, count)


def _measured(
    session: Session, material: Material, max_rows: int | None, pulse: Pulse, count: EvaluationCount
) -> Measured:
    passes, model = _passes(session, material, pulse)
    with session.team.leader_first():
        store = open_store(session, material, pulse)
    rows = session.split.held_out[:max_rows]
    numbers = store.items_of(rows).tolist()
    session.context.phase("evaluating")
    count.begin(len(numbers))

    def meet() -> None:
        passes.narrow(session.team.meet(passes.budget))
        pulse.listen()
        pulse.tell()

    metrics = evaluate(passes, store, material.objective, numbers, session.team, count.advance, meet)
    _check(metrics)
    model.eval()
    samples: list[Sample] = []
    with session.team.apart(whole=not session.sharded):
        samples = shown_rows(session, material, rows).show("evaluation")
    meet()
    session.team.disband()
    return Measured(metrics, len(rows), samples)


def _progress(count: EvaluationCount) -> ProgressMessage:
    """99 % at most, as the answers and the report are still to come; the estimate needs a first measure."""
    rest = count.seconds_left
    if rest is None:
        return count.tell(ProgressMessage(percent=0, note="evaluating" if count.total else "preparing"))
    percent = round(99.0 * count.done / count.total, 3)
    return count.tell(ProgressMessage(percent=percent, eta_seconds=round(rest, 1), note="evaluating"))


def _passes(session: Session, material: Material, pulse: Pulse) -> tuple[Passes, Any]:
    device, params = session.device, session.params
    model = material.model.eval().requires_grad_(False)
    learner = place(session, model, trains=False)
    layout = choose_layout(learner, material, device)
    budget = session.team.least(params.max_tokens_per_batch or token_budget(device, model, bare(model).config))
    session.context.log(f"Measuring on {device.torch} in {device.precision}: {describe_layout(layout, learner)}")
    pulse.watch(learner.layers())
    common = common_rounds(session, material)
    return Passes(learner, layout, device, budget, session.context, pulse.beat, common), model


def _check(metrics: dict[str, float]) -> None:
    if not metrics:
        raise TrainingError(
            "nothing_to_measure",
            "No row has anything to measure within the maximum length.",
            "Raise max_length, or check that the rows have answers.",
        )
    if not math.isfinite(metrics["eval_loss"]):
        raise TrainingError(
            "nan_loss", f"The evaluation loss is {metrics['eval_loss']}.", "Check the model: its weights may be broken."
        )
