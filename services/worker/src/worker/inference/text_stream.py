"""From tokens to text as they come: whole characters only, and nothing of a stop text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_BROKEN = "\ufffd"


class TokenText:
    """Turns tokens into text piece by piece. A character of several tokens (Persian, emoji) comes once it is whole."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._begin = 0
        self._told = 0

    def push(self, token: int) -> str:
        """What this token adds; empty while a character is not whole."""
        self._tokens.append(token)
        return self._advance(final=False)

    def finish(self) -> str:
        """What is left, whole or not."""
        return self._advance(final=True)

    def _advance(self, *, final: bool) -> str:
        """Decoded from a few tokens back: tokenizers join words differently at the beginning of a text."""
        before = self._decode(self._tokens[self._begin : self._told])
        after = self._decode(self._tokens[self._begin :])
        if len(after) <= len(before) or (after.endswith(_BROKEN) and not final):
            return ""
        self._begin, self._told = self._told, len(self._tokens)
        return after[len(before) :]

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(list(tokens), skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text


class StopText:
    """Holds back what may be the beginning of a stop text, and ends at the first one."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = stops
        self._held = ""
        self.stopped = False

    def push(self, text: str) -> str:
        """What may be told of `text` and what was held back."""
        self._held += text
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            told, self._held = self._held[: min(found)], ""
            return told
        safe = len(self._held) - self._overlap()
        told, self._held = self._held[:safe], self._held[safe:]
        return told

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        told, self._held = self._held, ""
        return told

    def _overlap(self) -> int:
        """How many characters at the end could begin a stop text."""
        longest = 0
        for stop in self._stops:
            for length in range(min(len(stop) - 1, len(self._held)), longest, -1):
                if self._held.endswith(stop[:length]):
                    longest = length
                    break
        return longest
