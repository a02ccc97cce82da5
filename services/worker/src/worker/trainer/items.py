"""A row as the model will see it, and where it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from kargah.formats.base import Example

Ids = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Item:
    """`ids` (length L); `trained` (L): which tokens may carry loss; `label`: the class, -1 where there is none."""

    ids: Ids
    trained: Mask
    label: int = -1


@dataclass(frozen=True, slots=True)
class Traced:
    """An example on its way to its items: `text` as the model reads it, `whole` as it is before anything is cut, and
    `places`, the characters of `text` (half open) that each token of `whole` stands for; empty ones stand for none."""

    text: str
    places: Sequence[Span]
    whole: Item
    items: list[Item]


class Encoder(Protocol):
    """Turns examples into items."""

    @property
    def identity(self) -> str:
        """Everything that the items depend on besides the rows: part of the cache's key."""
        ...

    @property
    def splits(self) -> bool:
        """Whether one row may become several items, so that all rows must be encoded before counting them."""
        ...

    def encode(self, examples: Sequence[Example]) -> list[list[Item]]:
        """The items of each example, in order: exactly one each unless `splits`."""
        ...


class Tracer(Encoder, Protocol):
    """An encoder that can be watched at its work."""

    def trace(self, examples: Sequence[Example]) -> list[Traced]:
        """What `encode` does, with all that it goes through."""
        ...
