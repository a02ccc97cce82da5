"""Texts as tokens for an encoder, with its special tokens around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kargah.formats.base import Chat, Example, LabelledText
from worker.trainer.errors import TrainingError
from worker.trainer.items import Item, Traced


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

    def trace(self, examples: Sequence[Example]) -> list[Traced]:
        """See Tracer.trace; what is cut or split is seen by encoding the texts a second time, whole. Errors as of
        `encode`; TrainingError for a tokenizer that does not tell where its tokens stand."""
        if not self._tokenizer.is_fast:
            message = "The tokenizer does not tell where its tokens stand."
            raise TrainingError("bad_model", message, "Choose a model with tokenizer.json.")
        texts = [plain_text(example) for example in examples]
        encoded = self._tokenizer(texts, return_offsets_mapping=True, verbose=False)
        wholes = zip(texts, examples, encoded["input_ids"], encoded["offset_mapping"], strict=True)
        return [
            Traced(text, places, self._item(ids, example), items)
            for (text, example, ids, places), items in zip(wholes, self.encode(examples), strict=True)
        ]

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
