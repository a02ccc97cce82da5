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


@dataclass(frozen=True, slots=True)
class Item:
    """`ids` (length L); `trained` (L): which tokens may carry loss; `label`: the class, -1 where there is none."""

    ids: Ids
    trained: Mask
    label: int = -1


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
