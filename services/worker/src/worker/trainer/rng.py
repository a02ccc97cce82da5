"""The state of every random generator, as tensors and JSON: no pickle."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class RandomState:
    """`tensors` of torch, its GPUs and numpy; `plain` is JSON: Python's generator and numpy's scalars."""

    tensors: dict[str, Tensor]
    plain: dict[str, Any]


def seed_all(seed: int) -> None:
    """Start every generator from one seed."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def capture() -> RandomState:
    """A copy of every generator's state."""
    version, internal, gauss = random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    tensors = {"torch": torch.get_rng_state(), "numpy": torch.from_numpy(np.array(keys).astype(np.int64))}
    if _has_gpu_context():
        tensors |= {f"cuda.{index}": state for index, state in enumerate(torch.cuda.get_rng_state_all())}
    plain = {
        "python": [version, list(internal), gauss],
        "numpy": [str(name), int(position), int(has_gauss), float(cached)],
    }
    return RandomState(tensors, plain)


def restore(state: RandomState) -> None:
    """Put every generator back; states of GPUs that are not here are left out."""
    version, internal, gauss = state.plain["python"]
    random.setstate((version, tuple(internal), gauss))
    name, position, has_gauss, cached = state.plain["numpy"]
    keys = state.tensors["numpy"].numpy().astype(np.uint32)
    np.random.set_state((name, keys, position, has_gauss, cached))
    torch.set_rng_state(state.tensors["torch"])
    for index in range(torch.cuda.device_count() if _has_gpu_context() else 0):
        if f"cuda.{index}" in state.tensors:
            torch.cuda.set_rng_state(state.tensors[f"cuda.{index}"], index)


def _has_gpu_context() -> bool:
    """Asking for a GPU's state would make a context, which a run on the CPU has no use for."""
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]
