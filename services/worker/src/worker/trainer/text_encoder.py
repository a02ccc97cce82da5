"""Texts as tokens for an encoder, with its special tokens around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kargah.formats.base import Chat, Example, LabelledText
from worker.trainer.errors import TrainingError
from worker.trainer.items import Item


class TextEncoder:
    """One item a row, cut at the end; or, when `splits`, as many windows as the text needs, each with its special
    tokens. `labels` gives the class of a labelled text; without it rows have none. Special tokens are not `trained`."""

    def __init__(
        self,
        tokenizer: Any,
        max_length: int,
        tokenizer_hash: str,
        splits: bool,
        labels: Mapping[str, int] | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._labels = labels
        self._specials = np.array(sorted(tokenizer.all_special_ids), dtype=np.int32)
        self.splits = splits
        self.identity = repr(("text", 1, tokenizer_hash, max_length, splits, sorted((labels or {}).items())))

    def encode(self, examples: Sequence[Example]) -> list[list[Item]]:
        """Raises TrainingError for a label that is not among `labels`."""
        encoded = self._tokenizer(
            [plain_text(example) for example in examples],
            truncation=True,
            max_length=self._max_length,
            return_overflowing_tokens=self.splits,
        )
        rows = encoded["overflow_to_sample_mapping"] if self.splits else range(len(examples))
        items: list[list[Item]] = [[] for _ in examples]
        for row, ids in zip(rows, encoded["input_ids"], strict=True):
            items[row].append(self._item(ids, examples[row]))
        return items

    def _item(self, ids: Sequence[int], example: Example) -> Item:
        array = np.array(ids, dtype=np.int32)
        return Item(array, ~np.isin(array, self._specials), self._label(example))

    def _label(self, example: Example) -> int:
        if self._labels is None or not isinstance(example, LabelledText):
            return -1
        if example.label not in self._labels:
            raise TrainingError("unknown_label", f"The label {example.label!r} is not one of the model's.")
        return self._labels[example.label]


def plain_text(example: Example) -> str:
    """The words of an example, a conversation's turns on lines of their own."""
    if isinstance(example, Chat):
        return "\n".join(turn.content for turn in example.turns)
    return example.text
