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
    on_items: Callable[[int], None],
    between: Callable[[], None],
) -> dict[str, float]:
    """`eval_loss` (mean over targets), `eval_accuracy`, `perplexity` for tokens, and the objective's own scores.

    Empty when there is nothing to measure. The caller has put the model into evaluation mode. Every rank of `team`
    measures its share, and gets the figures of all. `on_items` hears how many items are done, about, as all ranks are
    equally far; `between` is called where the ranks may meet, and raises Interruption where one has left before.
    """
    mine: list[Measure] = []
    begin = 0
    while begin < len(numbers):
        chunk = numbers[begin : begin + _CHUNK_ITEMS * team.size]
        if not passes.whole:
            chunk = _chunk(chunk, store, passes.budget, team.size)
        own = chunk[team.rank :: team.size]
        tasks = [objective.prepare(item, number, EVALUATION) for item, number in zip(store.get(own), own, strict=True)]
        with team.apart(whole=passes.whole):
            mine.append(passes.measure(tasks, _counting(on_items, begin, len(chunk), team.size)))
        begin += len(chunk)
        on_items(begin)
        between()
    return _figures(_of_all(mine, objective, team), objective)


def _chunk(numbers: Sequence[int], store: TokenStore, budget: int, ranks: int) -> Sequence[int]:
    """So many of the first that each rank makes about one pass: the ranks of a divided model hear only between chunks
    what the agent asks for. The others hear it all the time, and sort more items by their length."""
    ends = np.cumsum([len(item.ids) for item in store.get(numbers)])
    return numbers[: max(ranks, int(np.searchsorted(ends, budget * ranks, side="right")))]


def _counting(on_items: Callable[[int], None], begin: int, length: int, ranks: int) -> Callable[[int], None]:
    return lambda done: on_items(begin + min(done * ranks, length))


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
