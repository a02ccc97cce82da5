"""What a recipe brings to the loop that all recipes share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kargah.formats.base import Example
from worker.trainer.items import Encoder
from worker.trainer.objective import Objective


@dataclass(frozen=True)
class Sample:
    """A held-out row and what the model made of it; `expected` None where the row has no answer."""

    prompt: str
    expected: str | None
    answer: str


@dataclass(frozen=True)
class Material:
    """`model` is on the CPU, with what is to be trained requiring gradients. `save` writes it into an empty folder.
    `samples` answers held-out examples, leaving out those it cannot; None where the recipe has no answers. `inputs`
    are further keyword arguments of every pass. `facts` are told in the model card."""

    model: Any
    tokenizer: Any
    objective: Objective
    encoder: Encoder
    save: Callable[[Path], None]
    samples: Callable[[Sequence[Example]], list[Sample]] | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
