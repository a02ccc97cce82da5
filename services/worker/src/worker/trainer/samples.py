"""Answers to held-out rows, before and after training, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from kargah.domain.wording import counted
from kargah.formats.base import Example
from worker.trainer.context import RunContext
from worker.trainer.material import Sample


@dataclass(frozen=True)
class Samples:
    """The examples that are shown, and how the model answers them."""

    context: RunContext
    examples: Sequence[Example]
    answer: Callable[[Sequence[Example]], list[Sample]]

    def show(self, when: Literal["before", "after", "evaluation"]) -> list[Sample]:
        """Answer them and tell each as an event; the model is in evaluation mode."""
        if not self.examples:
            return []
        self.context.log(f"Answering {counted(len(self.examples), 'sample')}")
        shown = self.answer(self.examples)
        for sample in shown:
            data = {"when": when, "prompt": sample.prompt, "expected": sample.expected, "answer": sample.answer}
            self.context.event("sample", data)
        return shown
