"""Measuring the model on rows that it is not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from worker.trainer.objective import EVALUATION, Objective
from worker.trainer.passes import Measure, Passes
from worker.trainer.ranks.team import Team
from worker.trainer.token_store import TokenStore

_CHUNK_ITEMS = 256
_HIGHEST_EXPONENT = 700.0


def evaluate(
    passes: Passes,
    store: TokenStore,
    objective: Objective,
    numbers: Sequence[int],
    team: Team,
    on_items: Callable[[int], None] | None = None,
) -> dict[str, float]:
    """`eval_loss` (mean over targets), `eval_accuracy`, `perplexity` for tokens, and the objective's own scores.

    Empty when there is nothing to measure. The caller has put the model into evaluation mode. Every rank of `team`
    measures its share, and gets the figures of all. `on_items` hears how many items each chunk had.
    """
    mine: list[Measure] = []
    step = _CHUNK_ITEMS * team.size
    for begin in range(0, len(numbers), step):
        chunk = numbers[begin : begin + step]
        own = chunk[team.rank :: team.size]
        tasks = [objective.prepare(item, number, EVALUATION) for item, number in zip(store.get(own), own, strict=True)]
        mine.append(passes.measure(tasks))
        if on_items is not None:
            on_items(len(chunk))
    return _figures(_of_all(mine, objective, team), objective)


def _of_all(mine: list[Measure], objective: Objective, team: Team) -> list[Measure]:
    """Every rank's measures. Single predictions are many, and travel only where the objective looks at them."""
    if team.size == 1:
        return mine
    if objective.per_token:
        nothing = np.zeros(0, dtype=np.int64)
        mine = [replace(measure, predicted=nothing, targets=nothing) for measure in mine]
    return [measure for measures in team.gather(mine) for measure in measures]


def _figures(measures: Sequence[Measure], objective: Objective) -> dict[str, float]:
    count = sum(measure.count for measure in measures)
    if count == 0:
        return {}
    loss = sum(measure.loss for measure in measures) / count
    values = {"eval_loss": loss, "eval_accuracy": sum(measure.correct for measure in measures) / count}
    if objective.per_token:
        values["perplexity"] = math.exp(min(loss, _HIGHEST_EXPONENT))
    predicted = np.concatenate([measure.predicted for measure in measures])
    return values | objective.scores(predicted, np.concatenate([measure.targets for measure in measures]))
