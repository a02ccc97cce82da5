"""Sorting texts into the classes of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.recipes.params import CommonParams

if TYPE_CHECKING:
    from worker.trainer.material import Material
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

    def material(self, session: Session, params: CommonParams) -> Material:
        """See Recipe.material."""
        return _material(session)


def _material(session: Session) -> Material:
    from worker.trainer.classifier import label_map, labeller, open_classifier
    from worker.trainer.identity import tokenizer_hash
    from worker.trainer.material import Material
    from worker.trainer.models import context_length, load_tokenizer, save_whole
    from worker.trainer.objective import ClassLabel
    from worker.trainer.text_encoder import TextEncoder

    tokenizer = load_tokenizer(session.model_dir)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    labels = label_map(session)
    model = open_classifier(session, labels, tokenizer)
    length = context_length(model.config, tokenizer, session.params.max_length)
    return Material(
        model=model,
        tokenizer=tokenizer,
        objective=ClassLabel(len(labels)),
        encoder=TextEncoder(tokenizer, length, tokenizer_hash(session.model_dir), splits=False, labels=labels),
        save=lambda output: save_whole(model, session.model_dir, output),
        samples=labeller(model, tokenizer, length),
        facts={"auto_class": "AutoModelForSequenceClassification"},
    )


RECIPE = TextClassification()
