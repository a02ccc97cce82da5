"""One look at a dataset with a model's eyes: the trainer's own rows, template, tokenizer and loss mask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from kargah.contracts.datasets import DatasetVersionView
from kargah.contracts.models import ModelVersionView
from kargah.contracts.tokens import DatasetTokens, TokenFigures, TokenizedRow, TokensRequest
from kargah.formats.base import Chat, Example, LabelledText
from kargah.formats.registry import format_named
from worker.inference.chat import ClientGone
from worker.inference.tokens.budget import Budget, OutOfTime
from worker.inference.tokens.figures import Figures
from worker.inference.tokens.readable import ReadableModel
from worker.inference.tokens.states import describe
from worker.recipes.base import Recipe
from worker.trainer.objective import ClassLabel, MaskedToken, NextToken, Objective
from worker.trainer.reading import Reading, Source
from worker.trainer.rows import RowFile

_SHOWN_TOKENS = 20_000
_BATCH = 64
_LEARNS: Final[dict[type[Objective], Literal["tokens", "masked_tokens", "label"]]] = {
    NextToken: "tokens",
    MaskedToken: "masked_tokens",
    ClassLabel: "label",
}


@dataclass(frozen=True)
class Look:
    """What one request has at hand."""

    readable: ReadableModel
    recipe: Recipe
    reading: Reading
    rows: RowFile
    version: DatasetVersionView
    request: TokensRequest
    max_length: int

    @classmethod
    def begin(
        cls, readable: ReadableModel, recipe: Recipe, path: Path, version: DatasetVersionView, request: TokensRequest
    ) -> Look:
        """`path` holds the version's rows. Raises TrainingError when the recipe cannot read with this tokenizer."""
        given = {} if request.max_length is None else {"max_length": request.max_length}
        params = recipe.params.model_validate(given)
        source = Source(readable.tokenizer, readable.tokenizer_dir, readable.config, version.format)
        reading = recipe.reading(source, params)
        return cls(readable, recipe, reading, RowFile(path), version, request, params.max_length)

    def answer(self, model: ModelVersionView, budget: Budget, client_gone: Callable[[], bool]) -> DatasetTokens:
        """Raises OutOfTime when not even the rows to be shown were done, TrainingError for a row that cannot be
        trained on, ClientGone."""
        return DatasetTokens(
            dataset=self.version.dataset,
            version=self.version.version,
            format=self.version.format,
            model=model.model,
            model_version=model.version,
            recipe=self.recipe.name,
            learns=_LEARNS[self.reading.objective],
            template=self._template(),
            max_length=self.max_length,
            length=self.reading.length,
            rows=self._shown(budget),
            figures=self._figures(budget, client_gone),
        )

    def _example(self, number: int) -> Example:
        return self.rows.example(number, format_named(self.version.format))

    def _template(self) -> Literal["model", "kargah"] | None:
        """An encoder reads a conversation's words alone."""
        if self.reading.objective is not NextToken or not isinstance(self._example(0), Chat):
            return None
        return "model" if self.readable.has_template else "kargah"

    def _shown(self, budget: Budget) -> list[TokenizedRow]:
        wanted = self.request.rows
        numbers = range(wanted.offset, min(wanted.offset + wanted.limit, len(self.rows)))
        examples = [self._example(number) for number in numbers]
        if not examples:
            return []
        with budget.spend():
            traces = self.reading.encoder.trace(examples)
        shown, room = [], _SHOWN_TOKENS
        for number, example, traced in zip(numbers, examples, traces, strict=True):
            label = example.label if isinstance(example, LabelledText) else None
            shown.append(describe(number, traced, self.reading, label, room))
            room -= len(shown[-1].pieces)
        return shown

    def _figures(self, budget: Budget, client_gone: Callable[[], bool]) -> TokenFigures | None:
        """Over rows in an order of chance, so that those which the time allowed are a fair sample as well."""
        asked = min(self.request.sample, len(self.rows))
        if asked == 0:
            return None
        order = np.random.default_rng(self.request.seed).choice(len(self.rows), asked, replace=False).tolist()
        figures = Figures(self.reading, self.readable.tokenizer.unk_token_id)
        try:
            for begin in range(0, asked, _BATCH):
                if client_gone():
                    raise ClientGone("The client went away.")
                self._count(order[begin : begin + _BATCH], figures, budget)
        except OutOfTime:
            if figures.rows == 0:
                raise
        return figures.summary(asked, len(self.rows))

    def _count(self, numbers: list[int], figures: Figures, budget: Budget) -> None:
        examples = [self._example(number) for number in numbers]
        with budget.spend():
            traces = self.reading.encoder.trace(examples)
        for traced in traces:
            figures.add(traced)
