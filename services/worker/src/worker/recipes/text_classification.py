"""Sorting texts into the classes of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.recipes.params import CommonParams

if TYPE_CHECKING:
    from collections.abc import Mapping

    from worker.trainer.material import Material
    from worker.trainer.reading import Reading, Source
    from worker.trainer.session import Session


class TextClassificationParams(CommonParams):
    """The common parameters are all that classification takes."""


@dataclass(frozen=True)
class TextClassification:
    """See the module."""

    name: str = "text-classification"
    title: str = "Text classification"
    description: str = "Teaches a model to name the class of a text; measured by accuracy and macro F1."
    model_kinds: tuple[str, ...] = ("encoder", "classifier", "causal_lm")
    formats: tuple[str, ...] = ("labelled_text",)
    measures: tuple[str, ...] = ("classifier",)
    rank: int = 20
    params: type[CommonParams] = TextClassificationParams

    def reading(self, source: Source, params: CommonParams) -> Reading:
        """See Recipe.reading."""
        return _reading(source, params)

    def material(self, session: Session, params: CommonParams) -> Material:
        """See Recipe.material."""
        return _material(session)


def _reading(source: Source, params: CommonParams, labels: Mapping[str, int] | None = None) -> Reading:
    from worker.trainer.identity import tokenizer_hash
    from worker.trainer.models import context_length
    from worker.trainer.objective import ClassLabel
    from worker.trainer.reading import Reading
    from worker.trainer.text_encoder import TextEncoder

    length = context_length(source.config, source.tokenizer, params.max_length)
    known = tokenizer_hash(source.tokenizer_dir)
    return Reading(TextEncoder(source.tokenizer, length, known, splits=False, labels=labels), ClassLabel, length)


def _material(session: Session) -> Material:
    from worker.trainer.classifier import label_map, labeller, open_classifier
    from worker.trainer.material import Material
    from worker.trainer.models import load_tokenizer, save_whole
    from worker.trainer.objective import ClassLabel
    from worker.trainer.reading import Source

    tokenizer = load_tokenizer(session.model_dir)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    labels = label_map(session)
    model = open_classifier(session, labels, tokenizer)
    source = Source(tokenizer, session.model_dir, model.config, session.shape.name)
    reading = _reading(source, session.params, labels)
    return Material(
        model=model,
        tokenizer=tokenizer,
        objective=ClassLabel(len(labels)),
        encoder=reading.encoder,
        save=lambda output: save_whole(model, session.model_dir, output),
        samples=labeller(model, tokenizer, reading.length),
        facts={"auto_class": "AutoModelForSequenceClassification"},
    )


RECIPE = TextClassification()
