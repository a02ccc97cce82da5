"""Answers to held-out rows, before and after training, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from kargah.formats.base import Example
from worker.trainer.context import RunContext
from worker.trainer.material import Sample


@dataclass(frozen=True)
class Samples:
    """The examples that are shown, and how the model answers one."""

    context: RunContext
    examples: Sequence[Example]
    answer: Callable[[Example], Sample | None]

    def show(self, when: Literal["before", "after"]) -> list[Sample]:
        """Answer each and tell it as an event; the model is in evaluation mode."""
        shown: list[Sample] = []
        for example in self.examples:
            sample = self.answer(example)
            if sample is not None:
                data = {"when": when, "prompt": sample.prompt, "expected": sample.expected, "answer": sample.answer}
                self.context.event("sample", data)
                shown.append(sample)
        return shown
