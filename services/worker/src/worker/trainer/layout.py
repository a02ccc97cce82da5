"""How several items lie in one pass through the model: end to end in one row, or padded to a rectangle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from worker.trainer.attention import Segments
from worker.trainer.grouping import group_flat, group_padded
from worker.trainer.objective import Task


@dataclass(frozen=True, slots=True)
class Batch:
    """One pass. `inputs` are the model's keyword arguments; `positions` (N) index the flattened hidden states, None
    for a prediction per row; `targets` (N); `tokens` counts real tokens, without padding."""

    inputs: dict[str, Any]
    positions: Tensor | None
    targets: Tensor
    tokens: int


class Layout(Protocol):
    """Divides tasks into passes, and lays out each."""

    def group(self, lengths: Sequence[int], budget: int) -> list[list[int]]: ...

    def build(self, tasks: Sequence[Task], device: torch.device) -> Batch: ...


@dataclass(frozen=True)
class Flat:
    """All tasks in one row without padding; attention sees the borders through `segments`.

    `extra` are further keyword arguments of the model.
    """

    extra: tuple[tuple[str, Any], ...] = ()

    def group(self, lengths: Sequence[int], budget: int) -> list[list[int]]:
        return group_flat(lengths, budget)

    def build(self, tasks: Sequence[Task], device: torch.device) -> Batch:
        lengths = [len(task.ids) for task in tasks]
        starts = np.cumsum([0, *lengths[:-1]])
        inputs = {
            "input_ids": _tensor(np.concatenate([task.ids for task in tasks]).astype(np.int64), device)[None],
            "position_ids": _tensor(np.concatenate([np.arange(length) for length in lengths]), device)[None],
            "segments": Segments.of(lengths, device),
            **dict(self.extra),
        }
        return Batch(inputs, _positions(tasks, starts, device), _targets(tasks, device), sum(lengths))


@dataclass(frozen=True)
class Padded:
    """One task a row, padded on the right with `pad_id`; `overhead` as in `group_padded`."""

    pad_id: int
    overhead: int = 64
    extra: tuple[tuple[str, Any], ...] = ()

    def group(self, lengths: Sequence[int], budget: int) -> list[list[int]]:
        return group_padded(lengths, budget, self.overhead)

    def build(self, tasks: Sequence[Task], device: torch.device) -> Batch:
        longest = max(len(task.ids) for task in tasks)
        ids = np.full((len(tasks), longest), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(tasks), longest), dtype=np.int64)
        for row, task in enumerate(tasks):
            ids[row, : len(task.ids)] = task.ids
            mask[row, : len(task.ids)] = 1
        inputs = {"input_ids": _tensor(ids, device), "attention_mask": _tensor(mask, device), **dict(self.extra)}
        starts = np.arange(len(tasks)) * longest
        return Batch(inputs, _positions(tasks, starts, device), _targets(tasks, device), int(mask.sum()))


def _positions(tasks: Sequence[Task], starts: Any, device: torch.device) -> Tensor | None:
    found = [task.positions + start for task, start in zip(tasks, starts, strict=True) if task.positions is not None]
    return _tensor(np.concatenate(found), device) if found else None


def _targets(tasks: Sequence[Task], device: torch.device) -> Tensor:
    return _tensor(np.concatenate([task.targets for task in tasks]), device)


def _tensor(array: Any, device: torch.device) -> Tensor:
    """Pinned on the way to a GPU, so that the copy does not stop the host."""
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
