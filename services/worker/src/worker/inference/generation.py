"""Generate an answer token by token: cancellable between any two, seeded, one request at a time."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from worker.inference.language_model import LanguageModel
from worker.inference.sampling import Sampler, Sampling
from worker.inference.text_stream import StopText, TokenText

_PREFILL = 512


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be generated. At most `max_tokens`, and never beyond the model's context."""

    prompt: list[int]
    sampling: Sampling
    max_tokens: int
    stops: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`tokens` were generated, the end token not counted."""

    finish_reason: Literal["stop", "length"]
    tokens: int


def generate(language_model: LanguageModel, wish: Wish) -> Generator[str, None, Outcome]:
    """Yield pieces of text (empty ones too, once per token) and return how it ended. Closing it stops the model."""
    text, stop = TokenText(language_model.tokenizer), StopText(wish.stops)
    room = min(wish.max_tokens, language_model.context_length - len(wish.prompt))
    count = 0
    reason: Literal["stop", "length"] = "length"
    for token in _tokens(language_model, wish, room):
        if token in language_model.stops:
            reason = "stop"
            break
        count += 1
        yield stop.push(text.push(token))
        if stop.stopped:
            return Outcome("stop", count)
    yield stop.push(text.finish())
    if stop.stopped:
        return Outcome("stop", count)
    yield stop.finish()
    return Outcome(reason, count)


def _tokens(language_model: LanguageModel, wish: Wish, room: int) -> Generator[int, None, None]:
    """Long prompts are read in pieces, so that memory stays bounded."""
    sampler = Sampler(wish.sampling, language_model.device)
    cache: Any = None
    for begin in range(0, len(wish.prompt), _PREFILL):
        logits, cache = _forward(language_model, wish.prompt[begin : begin + _PREFILL], cache)
    for number in range(room):
        token = sampler.draw(logits)
        yield token
        if number < room - 1:
            logits, cache = _forward(language_model, [token], cache)


def _forward(language_model: LanguageModel, tokens: list[int], cache: Any) -> tuple[torch.Tensor, Any]:
    """Scores of what follows `tokens`, and the cache that now holds them."""
    extra = {"logits_to_keep": 1} if language_model.last_logits_only else {}
    with torch.inference_mode():
        output = language_model.model(
            input_ids=torch.tensor([tokens], device=language_model.device),
            past_key_values=cache,
            use_cache=True,
            **extra,
        )
    return output.logits[0, -1], output.past_key_values
