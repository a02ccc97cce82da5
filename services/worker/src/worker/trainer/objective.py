"""What is to be predicted from an item: the next token, a masked token, or a class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from worker.trainer.items import Ids, Item, Mask

EVALUATION = 2**32 - 1
Index = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Task:
    """An item made ready: predict `targets` (N) from the hidden states at `positions` (N), or from the whole row
    where `positions` is None (then N is 1)."""

    ids: Ids
    positions: Index | None
    targets: Index


class Objective(Protocol):
    """`draw` names the epoch, or EVALUATION: randomness depends on it, the seed and the item's number alone."""

    @property
    def per_token(self) -> bool:
        """Whether the loss is a mean over tokens, so that its exponential is a perplexity."""
        ...

    @staticmethod
    def loss_mask(item: Item) -> Mask:
        """Which tokens of the item are predicted in some epoch."""
        ...

    def prepare(self, item: Item, number: int, draw: int) -> Task: ...

    def scores(self, predicted: Index, targets: Index) -> dict[str, float]:
        """Further measures of an evaluation, from all its predictions."""
        ...


@dataclass(frozen=True)
class NextToken:
    """Causal language modelling: each trained token is predicted from the one before it."""

    per_token: bool = True

    @staticmethod
    def loss_mask(item: Item) -> Mask:
        """The first token follows nothing, so it is never predicted."""
        mask = item.trained.copy()
        mask[:1] = False
        return mask

    def prepare(self, item: Item, number: int, draw: int) -> Task:
        positions = np.flatnonzero(self.loss_mask(item)[1:])
        return Task(item.ids, positions, item.ids[positions + 1].astype(np.int64))

    def scores(self, predicted: Index, targets: Index) -> dict[str, float]:
        return {}


@dataclass(frozen=True)
class MaskedToken:
    """Masked language modelling: of the chosen tokens 80 % become the mask, 10 % another token, 10 % stay."""

    mask_id: int
    vocabulary: int
    probability: float
    seed: int
    per_token: bool = True

    @staticmethod
    def loss_mask(item: Item) -> Mask:
        """Each of these is hidden in its share of the epochs."""
        return item.trained

    def prepare(self, item: Item, number: int, draw: int) -> Task:
        random = np.random.default_rng([self.seed, draw, number])
        candidates = np.flatnonzero(self.loss_mask(item))
        count = min(len(candidates), max(1, round(len(candidates) * self.probability)))
        positions = np.sort(random.choice(candidates, count, replace=False)) if count else candidates
        fate = random.random(len(positions))
        others = random.integers(0, self.vocabulary, len(positions), dtype=np.int32)
        ids = item.ids.copy()
        kept = ids[positions]
        ids[positions] = np.where(fate < 0.8, self.mask_id, np.where(fate < 0.9, others, kept))
        return Task(ids, positions, kept.astype(np.int64))

    def scores(self, predicted: Index, targets: Index) -> dict[str, float]:
        return {}


@dataclass(frozen=True)
class ClassLabel:
    """Classification: one of `classes` for the whole row."""

    classes: int
    per_token: bool = False

    @staticmethod
    def loss_mask(item: Item) -> Mask:
        """None: the class is predicted."""
        return np.zeros(len(item.ids), dtype=np.bool_)

    def prepare(self, item: Item, number: int, draw: int) -> Task:
        return Task(item.ids, None, np.array([item.label], dtype=np.int64))

    def scores(self, predicted: Index, targets: Index) -> dict[str, float]:
        """Macro F1 over the classes that occur among the targets or the predictions."""
        both = np.zeros((self.classes, self.classes), dtype=np.int64)
        np.add.at(both, (targets, predicted), 1)
        support = both.sum(0) + both.sum(1)
        seen = support > 0
        return {"eval_macro_f1": float((2 * both.diagonal()[seen] / support[seen]).mean())}
