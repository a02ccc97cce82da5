"""How much memory a training needed."""

from __future__ import annotations

import resource

import torch

_KIB = 1024  # getrusage counts in these


def peak_memory(device: torch.device) -> float:
    """The most bytes held so far: of tensors on a GPU, of this process on a CPU."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB)
