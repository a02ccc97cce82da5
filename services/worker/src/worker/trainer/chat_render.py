"""From a conversation to text, and which stretches of it the model is to learn."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from jinja2 import TemplateError

from kargah.formats.base import Chat, Turn
from worker.trainer.bounded_templates import TooMuch, bounded_rendering
from worker.trainer.errors import TrainingError
from worker.trainer.items import Span
from worker.trainer.time_limit import TooSlow, time_limit

DEFAULT_TEMPLATE = (
    "{% if bos_token %}{{ bos_token }}{% endif %}"
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>"
    "{% if message['role'] == 'assistant' and eos_token %}{{ eos_token }}{% endif %}\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

# Whatever a template, which is code from elsewhere, may do wrong.
_FAULTS = (
    TemplateError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, MemoryError,
    SyntaxError, TooMuch, TooSlow,
)  # fmt: skip


@dataclass(frozen=True)
class Rendered:
    """`text` as the model reads it; `spans` are the characters that carry loss, ascending, half open."""

    text: str
    spans: list[Span]


class ChatRenderer:
    """Uses the tokenizer's own template, or gives it the stated default, which is then saved along with it."""

    def __init__(self, tokenizer: Any, seconds: float | None = None) -> None:
        """`seconds` that one rendering may take; None where whoever runs the process watches over it."""
        self._tokenizer = tokenizer
        self._seconds = seconds
        self.is_default = not tokenizer.chat_template
        if self.is_default:
            tokenizer.chat_template = DEFAULT_TEMPLATE
        self._specials = (*filter(None, tokenizer.all_special_tokens), "<|im_end|>")

    @property
    def template(self) -> str:
        return str(self._tokenizer.chat_template)

    def render(self, chat: Chat) -> Rendered:
        """Raises TrainingError when the template does not take this conversation."""
        messages = self._messages(chat.turns)
        text = self._apply(messages, prompt=False)
        spans: list[Span] = []
        position = 0
        for number, turn in enumerate(chat.turns):
            span = self._span(text, messages, number - (len(chat.turns) - len(messages)), turn, position)
            if span is not None:
                position = span[1]
                spans.append(span)
        return Rendered(text, spans)

    def prompt(self, turns: Sequence[Turn]) -> str:
        """The text after which the assistant answers."""
        return self._apply(self._messages(turns), prompt=True)

    def _messages(self, turns: Sequence[Turn]) -> list[dict[str, str]]:
        messages = [{"role": turn.role, "content": turn.content} for turn in turns]
        return messages if self._takes_system else _folded(messages)

    @cached_property
    def _takes_system(self) -> bool:
        probe = [{"role": "system", "content": "kargah-probe"}, {"role": "user", "content": "x"}]
        try:
            return "kargah-probe" in self._apply(probe, prompt=True)
        except TrainingError:
            return False

    def _apply(self, messages: list[dict[str, str]], prompt: bool) -> str:
        limit = nullcontext() if self._seconds is None else time_limit(self._seconds)
        try:
            with limit, bounded_rendering():
                text = self._tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt)
        except _FAULTS as error:
            reason = str(error) or type(error).__name__
            raise TrainingError(
                "template_error",
                f"The model's chat template does not take a conversation of this data: {reason}",
                "Check the order of roles (user and assistant in turn), or choose a model with another template.",
            ) from error
        return str(text)

    def _span(self, text: str, messages: list[dict[str, str]], index: int, turn: Turn, position: int) -> Span | None:
        """Where a trained turn is: by rendering what comes before it, or by searching for its words.

        Templates that rewrite earlier turns (dropping their reasoning, say) break the first way.
        """
        if not turn.train:
            return None
        if index > 0:
            before = self._apply(messages[:index], prompt=True)
            until = text if index == len(messages) - 1 else self._apply(messages[: index + 1], prompt=False)
            if (
                len(before) >= position
                and text.startswith(before)
                and text.startswith(until)
                and len(until) > len(before)
            ):
                return len(before), self._trimmed(text, len(before), len(until))
        return self._found(text, turn.content.strip(), position)

    def _found(self, text: str, content: str, position: int) -> Span | None:
        begin = text.find(content, position) if content else -1
        if begin < 0:
            return None
        end = begin + len(content)
        rest = text[end:]
        return begin, end + next((len(token) for token in self._specials if rest.startswith(token)), 0)

    def _trimmed(self, text: str, begin: int, end: int) -> int:
        """Without the white space that follows the end mark: nothing is generated after that mark."""
        kept = text[begin:end].rstrip()
        return begin + len(kept) if kept.endswith(self._specials) else end


def _folded(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """For templates without a system role: its words go in front of the user's first ones."""
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return messages
    content = f"{messages[0]['content']}\n\n{messages[1]['content']}"
    return [{"role": "user", "content": content}, *messages[2:]]
