"""Measuring the model on rows that it is not trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from worker.trainer.objective import EVALUATION, Objective
from worker.trainer.passes import Measure, Passes
from worker.trainer.token_store import TokenStore

_CHUNK_ITEMS = 256
_HIGHEST_EXPONENT = 700.0


def evaluate(
    passes: Passes,
    store: TokenStore,
    objective: Objective,
    numbers: Sequence[int],
    on_items: Callable[[int], None] | None = None,
) -> dict[str, float]:
    """`eval_loss` (mean over targets), `eval_accuracy`, `perplexity` for tokens, and the objective's own scores.

    Empty when there is nothing to measure. The caller has put the model into evaluation mode. `on_items` hears how many
    items each chunk had.
    """
    measures: list[Measure] = []
    for begin in range(0, len(numbers), _CHUNK_ITEMS):
        chunk = numbers[begin : begin + _CHUNK_ITEMS]
        items = store.get(chunk)
        tasks = [objective.prepare(item, number, EVALUATION) for item, number in zip(items, chunk, strict=True)]
        measures.append(passes.measure(tasks))
        if on_items is not None:
            on_items(len(chunk))
    count = sum(measure.count for measure in measures)
    if count == 0:
        return {}
    loss = sum(measure.loss for measure in measures) / count
    values = {"eval_loss": loss, "eval_accuracy": sum(measure.correct for measure in measures) / count}
    if objective.per_token:
        values["perplexity"] = math.exp(min(loss, _HIGHEST_EXPONENT))
    predicted = np.concatenate([measure.predicted for measure in measures])
    return values | objective.scores(predicted, np.concatenate([measure.targets for measure in measures]))
