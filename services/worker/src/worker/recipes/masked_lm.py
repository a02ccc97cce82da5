"""Domain adaptation of an encoder: it learns to fill in words left out of the data's texts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from worker.recipes.params import CommonParams, basic, measured

if TYPE_CHECKING:
    from worker.trainer.material import Material
    from worker.trainer.reading import Reading, Source
    from worker.trainer.session import Session


class MaskedLmParams(CommonParams):
    """What masked language modelling takes besides the common parameters."""

    mask_probability: float = Field(
        default=0.15,
        gt=0,
        le=0.9,
        title="Masked share",
        description="Share of the words that are hidden and have to be guessed.",
        json_schema_extra=measured(**basic(0.05, 0.5)),
    )


@dataclass(frozen=True)
class MaskedLm:
    """See the module."""

    name: str = "masked-lm"
    title: str = "Masked language modelling"
    description: str = "Makes an encoder (BERT and the like) at home in the words of the data, whatever their format."
    model_kinds: tuple[str, ...] = ("encoder",)
    formats: tuple[str, ...] = (
        "text",
        "question_answer",
        "messages",
        "prompt_completion",
        "alpaca",
        "sharegpt",
        "labelled_text",
    )
    measures: tuple[str, ...] = ("encoder",)
    rank: int = 30
    params: type[CommonParams] = MaskedLmParams

    def reading(self, source: Source, params: CommonParams) -> Reading:
        """See Recipe.reading."""
        return _reading(source, params)

    def material(self, session: Session, params: CommonParams) -> Material:
        """See Recipe.material."""
        assert isinstance(params, MaskedLmParams)
        return _material(session, params)


def _reading(source: Source, params: CommonParams) -> Reading:
    from worker.trainer.errors import TrainingError
    from worker.trainer.identity import tokenizer_hash
    from worker.trainer.models import context_length
    from worker.trainer.objective import MaskedToken
    from worker.trainer.reading import Reading
    from worker.trainer.text_encoder import TextEncoder

    if source.tokenizer.mask_token_id is None:
        raise TrainingError("bad_model", "The model's tokenizer has no mask token.", "Choose an encoder such as BERT.")
    length = context_length(source.config, source.tokenizer, params.max_length)
    known, splits = tokenizer_hash(source.tokenizer_dir), source.format == "text"
    return Reading(TextEncoder(source.tokenizer, length, known, splits), MaskedToken, length)


def _material(session: Session, params: MaskedLmParams) -> Material:
    import torch
    from transformers import AutoModelForMaskedLM

    from worker.trainer.material import Material
    from worker.trainer.models import load_model, load_tokenizer, save_whole
    from worker.trainer.objective import MaskedToken
    from worker.trainer.reading import Source

    tokenizer = load_tokenizer(session.model_dir)
    model = load_model(AutoModelForMaskedLM, session.model_dir, torch.float32)
    reading = _reading(Source(tokenizer, session.model_dir, model.config, session.shape.name), params)
    return Material(
        model=model,
        tokenizer=tokenizer,
        objective=MaskedToken(tokenizer.mask_token_id, len(tokenizer), params.mask_probability, params.seed),
        encoder=reading.encoder,
        save=lambda output: save_whole(model, session.model_dir, output),
        facts={"auto_class": "AutoModelForMaskedLM"},
    )


RECIPE = MaskedLm()
