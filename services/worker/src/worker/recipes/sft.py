"""Instruction tuning of a language model: LoRA or all weights, loss on the assistant's words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from worker.recipes.params import CommonParams, basic, measured

if TYPE_CHECKING:
    from worker.trainer.chat_render import ChatRenderer
    from worker.trainer.material import Material
    from worker.trainer.reading import Reading, Source
    from worker.trainer.session import Session


class SftParams(CommonParams):
    """What a causal language model's tuning takes besides the common parameters."""

    learning_rate: float = Field(
        default=2e-4,
        gt=0,
        le=10,
        title="Learning rate",
        description="The highest size of an update. 2e-4 suits LoRA; for all weights take about 2e-5.",
        json_schema_extra=basic(1e-5, 1e-2),
    )
    max_length: int = Field(
        default=1024,
        ge=8,
        le=1_048_576,
        title="Maximum length",
        description="Tokens per conversation; what is longer is cut at the end. Bounded by what the model can read.",
        json_schema_extra=measured(**basic(16, 8192)),
    )
    method: Literal["lora", "full"] = Field(
        default="lora",
        title="Method",
        description="lora trains a small adapter on top of the model, full changes all of its weights.",
    )
    lora_r: int = Field(
        default=16,
        ge=1,
        le=1024,
        title="LoRA rank",
        description="Size of the adapter: more can learn more, and needs more memory.",
        json_schema_extra=basic(1, 256),
    )
    lora_alpha: int = Field(
        default=32,
        ge=1,
        le=4096,
        title="LoRA alpha",
        description="Strength of the adapter; usually twice the rank.",
        json_schema_extra=basic(1, 512),
    )
    lora_dropout: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        title="LoRA dropout",
        description="Share of the adapter's inputs left out at random, against overfitting.",
        json_schema_extra=basic(0, 0.5),
    )
    target_modules: list[str] | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        title="Adapted modules",
        description="Names of the linear layers that get an adapter. Empty: all of them.",
    )


@dataclass(frozen=True)
class Sft:
    """See the module."""

    name: str = "sft"
    title: str = "Instruction tuning"
    description: str = "Teaches a language model to answer as the data does, by LoRA or by changing all weights."
    model_kinds: tuple[str, ...] = ("causal_lm", "adapter")
    formats: tuple[str, ...] = ("messages", "question_answer", "prompt_completion", "alpaca", "sharegpt", "text")
    measures: tuple[str, ...] = ("causal_lm", "adapter")
    rank: int = 10
    params: type[CommonParams] = SftParams

    def reading(self, source: Source, params: CommonParams) -> Reading:
        """See Recipe.reading."""
        from worker.trainer.chat_render import ChatRenderer

        return _reading(source, ChatRenderer(source.tokenizer), params)

    def material(self, session: Session, params: CommonParams) -> Material:
        """See Recipe.material."""
        assert isinstance(params, SftParams)
        return _material(session, params)


def _reading(source: Source, renderer: ChatRenderer, params: CommonParams) -> Reading:
    from worker.trainer.causal_encoder import CausalEncoder
    from worker.trainer.identity import tokenizer_hash
    from worker.trainer.models import context_length
    from worker.trainer.objective import NextToken
    from worker.trainer.reading import Reading

    length = context_length(source.config, source.tokenizer, params.max_length)
    known, splits = tokenizer_hash(source.tokenizer_dir), source.format == "text"
    return Reading(CausalEncoder(source.tokenizer, renderer, length, known, splits), NextToken, length)


def _material(session: Session, params: SftParams) -> Material:
    from worker.trainer.answering import Answerer
    from worker.trainer.causal_model import open_causal, open_to_measure, save_causal
    from worker.trainer.chat_render import ChatRenderer
    from worker.trainer.learner import bare
    from worker.trainer.material import Material
    from worker.trainer.models import load_tokenizer
    from worker.trainer.objective import NextToken
    from worker.trainer.reading import Source

    folder = session.tokenizer_dir
    tokenizer = load_tokenizer(folder)
    renderer = ChatRenderer(tokenizer)
    if renderer.is_default and session.shape.name != "text":
        session.context.log("The model has no chat template: using Kargah's own, saved with the result", "warning")
    lora = _lora(params) if params.method == "lora" else None
    model = open_causal(session, lora) if session.trains else open_to_measure(session)
    reading = _reading(Source(tokenizer, folder, bare(model).config, session.shape.name), renderer, params)
    return Material(
        model=model,
        tokenizer=tokenizer,
        objective=NextToken(),
        encoder=reading.encoder,
        save=lambda output: save_causal(model, session, output),
        samples=Answerer(model, tokenizer, renderer, reading.length).answer,
        inputs={"use_cache": False},
        facts={"auto_class": "AutoModelForCausalLM", "method": params.method},
    )


def _lora(params: SftParams) -> dict[str, Any]:
    return {
        "r": params.lora_r,
        "lora_alpha": params.lora_alpha,
        "lora_dropout": params.lora_dropout,
        "target_modules": params.target_modules or "all-linear",
    }


RECIPE = Sft()
