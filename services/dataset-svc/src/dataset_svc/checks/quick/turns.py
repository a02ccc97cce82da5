"""Conversations by columns: whether each is good, and what it asks and answers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dataset_svc.checks.quick.arrays import as_numbers, flags, numbers
from dataset_svc.checks.quick.plan import Turns
from dataset_svc.checks.quick.table import Columns
from dataset_svc.checks.quick.texts import Texts, speaks_or_may_be_silent


def turns_exchange(columns: Columns, turns: Turns | None) -> tuple[Texts, Texts, Texts] | None:
    """What is asked, answered and to be agreed on; None unless all is good and each ends with the assistant's turn."""
    if turns is None:
        return None
    lists = columns[turns.column]
    roles, texts = lists.values.field(0), lists.values.field(1)
    ends = as_numbers(lists.offsets)
    if (ends[1:] == ends[:-1]).any() or not set(pc.unique(roles).to_pylist()) <= turns.roles:
        return None
    last = numbers(ends[1:] - 1)
    if not set(pc.unique(roles.take(last)).to_pylist()) <= turns.assistants:
        return None
    if not speaks_or_may_be_silent(texts, roles, turns.silent):
        return None
    answers = texts.take(last)
    return _before_the_last(texts, ends), answers, answers


def _before_the_last(texts: Texts, ends: np.ndarray) -> Texts:
    """The texts of each conversation but its last, on lines of their own."""
    is_last = np.zeros(len(texts), np.bool_)
    is_last[ends[1:] - 1] = True
    others = texts.filter(flags(~is_last))
    if (np.diff(ends) == 2).all():
        return others
    starts = ends - np.arange(len(ends), dtype=ends.dtype)
    return pc.binary_join(pa.ListArray.from_arrays(numbers(starts), others), "\n")
