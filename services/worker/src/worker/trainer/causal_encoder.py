"""Conversations and plain texts as tokens for a causal language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kargah.formats.base import Chat, Example, LabelledText, PlainText
from worker.trainer.chat_render import ChatRenderer, Rendered
from worker.trainer.errors import TrainingError
from worker.trainer.items import Item, Mask, Span, Traced


class CausalEncoder:
    """A conversation is one item, cut at the end; loss on its trained turns. A plain text carries loss throughout and,
    when `splits`, is divided into as many items as it needs."""

    def __init__(
        self, tokenizer: Any, renderer: ChatRenderer, max_length: int, tokenizer_hash: str, splits: bool
    ) -> None:
        if not tokenizer.is_fast:
            raise TrainingError(
                "bad_model",
                "The tokenizer does not tell where its tokens stand.",
                "Choose a model with tokenizer.json.",
            )
        self._tokenizer = tokenizer
        self._renderer = renderer
        self._max_length = max_length
        self.splits = splits
        self.identity = repr(("causal", 1, tokenizer_hash, renderer.template, max_length, splits))

    def encode(self, examples: Sequence[Example]) -> list[list[Item]]:
        """Raises TrainingError for a kind of row that has nothing to say to a language model."""
        return [traced.items for traced in self.trace(examples)]

    def trace(self, examples: Sequence[Example]) -> list[Traced]:
        """See Tracer.trace. Errors as of `encode`."""
        rendered = [self._render(example) for example in examples]
        encoded = self._tokenizer(
            [each.text for each in rendered], add_special_tokens=False, return_offsets_mapping=True
        )
        return [
            self._traced(each, ids, places)
            for each, ids, places in zip(rendered, encoded["input_ids"], encoded["offset_mapping"], strict=True)
        ]

    def _traced(self, rendered: Rendered, ids: Sequence[int], places: Sequence[Span]) -> Traced:
        whole = Item(_ids(ids), _trained(places, rendered.spans))
        return Traced(rendered.text, places, whole, self._pieces(whole))

    def _render(self, example: Example) -> Rendered:
        if isinstance(example, Chat):
            return self._renderer.render(example)
        if isinstance(example, PlainText):
            begin, end = self._tokenizer.bos_token or "", self._tokenizer.eos_token or ""
            text = f"{begin}{example.text}{end}"
            return Rendered(text, [(len(begin), len(text))])
        assert isinstance(example, LabelledText)
        raise TrainingError("wrong_format", "Labelled texts are for classification.", "Use text-classification.")

    def _pieces(self, item: Item) -> list[Item]:
        length = self._max_length
        ends = range(0, len(item.ids), length) if self.splits else range(1)
        pieces = [Item(item.ids[begin : begin + length], item.trained[begin : begin + length]) for begin in ends]
        return [piece for piece in pieces if len(piece.ids) > 1] if self.splits else pieces


def _ids(ids: Sequence[int]) -> Any:
    return np.array(ids, dtype=np.int32)


def _trained(offsets: Sequence[Span], spans: Sequence[Span]) -> Mask:
    """Tokens that lie wholly within a span; a token that reaches over its edge belongs to the prompt."""
    if not offsets:
        return np.zeros(0, dtype=np.bool_)
    places = np.array(offsets, dtype=np.int64)
    trained = np.zeros(len(places), dtype=np.bool_)
    for begin, end in spans:
        trained |= (places[:, 0] >= begin) & (places[:, 1] <= end) & (places[:, 1] > places[:, 0])
    return trained
