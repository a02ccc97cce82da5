"""The model's own words, for sample answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from kargah.formats.base import Chat, Example, PlainText
from worker.trainer.chat_render import ChatRenderer
from worker.trainer.learner import bare
from worker.trainer.material import Sample

_NEW_TOKENS = 64
_TOGETHER = 8
_SHOWN_HALF = 400
_SHOWN_CHARACTERS = 2000


class Answerer:
    """Greedy answers: to a conversation, its last turn; to a plain text, how its first half goes on."""

    def __init__(self, model: Any, tokenizer: Any, renderer: ChatRenderer, max_length: int) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._renderer = renderer
        self._room = max(1, max_length - 8)

    def answer(self, examples: Sequence[Example]) -> list[Sample]:
        """In order, all at once; examples with nothing to go on from are left out."""
        asked = [question for example in examples if (question := self._question(example)) is not None]
        answers: list[str] = []
        for begin in range(0, len(asked), _TOGETHER):
            answers += self._generate([prompt for prompt, _, _ in asked[begin : begin + _TOGETHER]])
        return [Sample(shown, wanted, told) for (_, shown, wanted), told in zip(asked, answers, strict=True)]

    def _question(self, example: Example) -> tuple[str, str, str] | None:
        """The model's input, what of it is shown, and the answer that is expected."""
        if isinstance(example, Chat) and len(example.turns) > 1:
            asked = "\n".join(turn.content for turn in example.turns[:-1] if turn.role == "user")
            return self._renderer.prompt(example.turns[:-1]), _short(asked), _short(example.turns[-1].content)
        if isinstance(example, PlainText):
            half = example.text[: max(1, min(len(example.text) // 2, _SHOWN_HALF))]
            rest = example.text[len(half) : len(half) + _SHOWN_HALF]
            return (self._tokenizer.bos_token or "") + half, half, rest
        return None

    def _generate(self, prompts: list[str]) -> list[str]:
        model = bare(self._model)
        before = model.config._attn_implementation
        ids, mask = self._padded(prompts, model.device)
        model.config._attn_implementation = "sdpa" if model._supports_sdpa else "eager"
        try:
            with torch.no_grad():
                output = self._model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    do_sample=False,
                    num_beams=1,
                    temperature=None,
                    top_p=None,
                    top_k=None,
                    max_new_tokens=_NEW_TOKENS,
                    eos_token_id=self._stops(),
                    pad_token_id=self._pad_id,
                )
        finally:
            model.config._attn_implementation = before
        told = self._tokenizer.batch_decode(output[:, ids.shape[1] :], skip_special_tokens=True)
        return [_short(text.strip()) for text in told]

    def _padded(self, prompts: list[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Padded on the left, as an answer must follow its prompt directly; the end of a long prompt is kept."""
        encoded = self._tokenizer(prompts, add_special_tokens=False)["input_ids"]
        rows = [torch.tensor(ids[-self._room :], dtype=torch.long) for ids in encoded]
        ids = pad_sequence(rows, True, self._pad_id, "left")
        mask = pad_sequence([torch.ones_like(row) for row in rows], True, 0, "left")
        return ids.to(device), mask.to(device)

    @property
    def _pad_id(self) -> int:
        found = self._tokenizer.pad_token_id
        return int(found) if found is not None else 0

    def _stops(self) -> list[int] | None:
        """Whatever ends an answer: the tokenizer's and the model's own end tokens."""
        configured = self._model.generation_config.eos_token_id
        found = [configured] if isinstance(configured, int) else list(configured or [])
        if self._tokenizer.eos_token_id is not None:
            found.append(self._tokenizer.eos_token_id)
        return list(dict.fromkeys(found)) or None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
