"""From scores to the next token."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Sampling:
    """`temperature` 0 takes the likeliest token. The same `seed` on the same device gives the same answer."""

    temperature: float
    top_p: float = 1.0
    seed: int | None = None


class Sampler:
    """Draws one token after another."""

    def __init__(self, sampling: Sampling, device: torch.device) -> None:
        self._sampling = sampling
        self._generator = torch.Generator(device)
        if sampling.seed is not None:
            self._generator.manual_seed(sampling.seed % (1 << 63))
        else:
            self._generator.seed()

    def draw(self, logits: torch.Tensor) -> int:
        """A token from `logits` (vocabulary,)."""
        if self._sampling.temperature == 0:
            return int(logits.argmax().item())
        scaled = logits.float() / max(self._sampling.temperature, 1e-4)
        probabilities = torch.softmax(scaled - scaled.max(), dim=-1)
        if self._sampling.top_p < 1:
            probabilities = _nucleus(probabilities, self._sampling.top_p)
        return int(torch.multinomial(probabilities, 1, generator=self._generator).item())


def _nucleus(probabilities: torch.Tensor, top_p: float) -> torch.Tensor:
    """The likeliest tokens that together have `top_p`, at least one; `multinomial` rescales them itself."""
    ordered, places = probabilities.sort(descending=True)
    before = ordered.cumsum(0) - ordered
    inside = before < top_p
    inside[0] = True  # also for a `top_p` too small to tell from nothing
    kept = torch.where(inside, ordered, torch.zeros_like(ordered))
    return torch.zeros_like(probabilities).scatter(0, places, kept)
