"""The model's own words, for sample answers."""

from __future__ import annotations

from typing import Any

import torch

from kargah.formats.base import Chat, Example, PlainText
from worker.trainer.chat_render import ChatRenderer
from worker.trainer.learner import bare
from worker.trainer.material import Sample

_NEW_TOKENS = 64
_SHOWN_CHARACTERS = 2000


class Answerer:
    """Greedy answers: to a conversation, its last turn; to a plain text, how its first half goes on."""

    def __init__(self, model: Any, tokenizer: Any, renderer: ChatRenderer, max_length: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._renderer = renderer
        self._room = max(1, max_length - 8)

    def answer(self, example: Example) -> Sample | None:
        """None where there is nothing to go on from."""
        if isinstance(example, Chat) and len(example.turns) > 1:
            asked = "\n".join(turn.content for turn in example.turns[:-1] if turn.role == "user")
            prompt = self._renderer.prompt(example.turns[:-1])
            return Sample(_short(asked), _short(example.turns[-1].content), self._generate(prompt))
        if isinstance(example, PlainText):
            half = example.text[: max(1, min(len(example.text) // 2, 400))]
            rest = example.text[len(half) : len(half) + 400]
            return Sample(half, rest, self._generate((self._tokenizer.bos_token or "") + half))
        return None

    def _generate(self, prompt: str) -> str:
        model = bare(self._model)
        before = model.config._attn_implementation
        ids = self._tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"][:, -self._room :]
        ids = ids.to(model.device)
        model.config._attn_implementation = "sdpa" if model._supports_sdpa else "eager"
        try:
            with torch.no_grad():
                output = self._model.generate(
                    input_ids=ids,
                    attention_mask=torch.ones_like(ids),
                    do_sample=False,
                    num_beams=1,
                    temperature=None,
                    top_p=None,
                    top_k=None,
                    max_new_tokens=_NEW_TOKENS,
                    eos_token_id=self._stops(),
                    pad_token_id=self._tokenizer.pad_token_id or 0,
                )
        finally:
            model.config._attn_implementation = before
        return _short(self._tokenizer.decode(output[0, ids.shape[1] :], skip_special_tokens=True).strip())

    def _stops(self) -> list[int] | None:
        """Whatever ends an answer: the tokenizer's and the model's own end tokens."""
        configured = self._model.generation_config.eos_token_id
        found = [configured] if isinstance(configured, int) else list(configured or [])
        if self._tokenizer.eos_token_id is not None:
            found.append(self._tokenizer.eos_token_id)
        return list(dict.fromkeys(found)) or None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
