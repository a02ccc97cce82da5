"""Each token's part in the training: read, learnt, or cut off; and the same for the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
import numpy.typing as npt

from kargah.contracts.tokens import Token, TokenizedRow, TokenSpan, TokenState
from worker.trainer.items import Mask, Traced
from worker.trainer.reading import Reading

_NAMES: Final[tuple[TokenState, ...]] = ("read", "trained", "cut")
_READ, _TRAINED, _CUT = range(3)
_NOTHING = -1
States = npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Of one row: before the cut, what carries loss within it, what is lost by it, and what of that carried loss."""

    tokens: int
    trained: int
    cut: int
    cut_trained: int


def kept_tokens(traced: Traced, splits: bool) -> int:
    """How many of the first tokens of `whole` reach the model: all of them where long rows are split.

    A cut row may end with a special token of its own, which is not one of these.
    """
    if splits:
        return len(traced.whole.ids)
    item = traced.items[0].ids
    common = min(len(item), len(traced.whole.ids))
    differ = np.flatnonzero(item[:common] != traced.whole.ids[:common])
    return int(differ[0]) if len(differ) else common


def count(traced: Traced, reading: Reading) -> TokenCounts:
    """What carries loss is asked of the items themselves, as the training does."""
    loss_mask = reading.objective.loss_mask
    whole = int(loss_mask(traced.whole).sum())
    trained = sum(int(loss_mask(item).sum()) for item in traced.items)
    kept = kept_tokens(traced, reading.encoder.splits)
    lost = 0 if reading.encoder.splits else whole - trained
    return TokenCounts(len(traced.whole.ids), trained, len(traced.whole.ids) - kept, lost)


def describe(number: int, traced: Traced, reading: Reading, label: str | None, room: int) -> TokenizedRow:
    """Row `number` with at most `room` of its tokens."""
    counts = count(traced, reading)
    states = _states(traced, reading)[:room]
    places = traced.places[:room]
    pieces = [
        Token(id=int(token), text=traced.text[begin:end], state=_NAMES[state])
        for token, (begin, end), state in zip(traced.whole.ids[:room], places, states, strict=True)
    ]
    return TokenizedRow(
        row=number,
        tokens=counts.tokens,
        trained_tokens=counts.trained,
        cut_tokens=counts.cut,
        cut_trained_tokens=counts.cut_trained,
        items=len(traced.items),
        label=label,
        spans=_spans(traced.text, places, states, whole=len(places) == len(traced.places)),
        pieces=pieces,
    )


def _states(traced: Traced, reading: Reading) -> States:
    mask: Mask = reading.objective.loss_mask(traced.whole)
    states = np.where(mask, _TRAINED, _READ).astype(np.int8)
    states[kept_tokens(traced, reading.encoder.splits) :] = _CUT
    return states


def _spans(text: str, places: Sequence[tuple[int, int]], states: States, whole: bool) -> list[TokenSpan]:
    """Characters between two tokens, which no token stands for, go with the one before them."""
    end = len(text) if whole else max((place[1] for place in places), default=0)
    state_of = np.full(end, _NOTHING, dtype=np.int8)
    for (begin, stop), state in zip(places, states, strict=True):
        state_of[begin:stop] = state
    known = np.where(state_of == _NOTHING, 0, np.arange(end))
    filled = state_of[np.maximum.accumulate(known)] if end else state_of
    spans, position = [], 0
    for state, group in groupby(filled.tolist()):
        length = len(list(group))
        name = _NAMES[max(state, _READ)]
        spans.append(TokenSpan(text=text[position : position + length], state=name))
        position += length
    return spans
