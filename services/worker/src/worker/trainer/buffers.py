"""Host memory for snapshots."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from worker.trainer.ranks.sharding import whole

Files = dict[str, dict[str, Tensor]]


class Buffers:
    """Keeps the memory of one snapshot for the next: touching fresh memory takes far longer than copying into old."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Tensor] = {}

    def copy(self, files: Files) -> tuple[Files, float]:
        """Copies of all tensors, which stay as they are until the next call, and the seconds that copying took
        without what is only done once."""
        copies = {
            file: {name: self._fit(file, name, each) for name, each in kept.items()} for file, kept in files.items()
        }
        began = time.monotonic()
        for file, tensors in files.items():
            for name, tensor in tensors.items():
                copies[file][name].copy_(whole(tensor.detach()))
        return copies, time.monotonic() - began

    def _fit(self, file: str, name: str, tensor: Tensor) -> Tensor:
        kept = self._kept.get((file, name))
        if kept is None or kept.shape != tensor.shape or kept.dtype != tensor.dtype:
            kept = torch.empty(tensor.shape, dtype=tensor.dtype).zero_()
            self._kept[file, name] = kept
        return kept
