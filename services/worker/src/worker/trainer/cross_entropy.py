"""Cross-entropy that keeps one matrix of the logits' size instead of three, and counts hits on the way."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor


def summed_cross_entropy(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Of `logits` (N, classes; fp32) against `targets` (N): the summed loss, and how many targets have the highest
    logit. Differentiable once."""
    return cast(tuple[Tensor, Tensor], _SummedCrossEntropy.apply(logits, targets))  # type: ignore[no-untyped-call]


class _SummedCrossEntropy(torch.autograd.Function):
    """The gradient is the probabilities less one at the target, so they are turned into it in place."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        probabilities = torch.softmax(logits, -1)
        highest = logits.amax(-1)
        wanted = logits.gather(-1, targets[:, None])[:, 0]
        # The highest probability is at least 1 / classes: unlike the target's, its logarithm is always exact.
        normaliser = highest - probabilities.amax(-1).log()
        hits = (wanted >= highest).sum()
        ctx.save_for_backward(probabilities, targets)
        ctx.mark_non_differentiable(hits)
        return (normaliser - wanted).sum(), hits

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        probabilities, targets = ctx.saved_tensors
        minus_one = probabilities.new_full((1, 1), -1.0).expand(len(targets), 1)
        probabilities.scatter_add_(1, targets[:, None], minus_one)
        return probabilities.mul_(gradients[0]), None
