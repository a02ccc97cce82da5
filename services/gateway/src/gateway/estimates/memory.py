"""How much memory a training needs, from what is known of model and parameters before anything is loaded.

What a trainer keeps, in bytes, of a model with P parameters of which Q are trained:

- weights: Q x 4, for trained ones are fp32, and (P - Q) x 2 in bf16 or x 4 in fp32 (`worker.trainer.models`). In bf16
  the passes may hold a copy of the trained ones besides: Q x 2.
- gradients: Q x 4. Moments of AdamW: Q x 8, two fp32 numbers each (Loshchilov and Hutter 2019).
- activations, a token and layer, in numbers of the passes' width: at least 8 x hidden + 2 x inner, which is what
  Korthikanti et al. 2022 count (arXiv 2205.05198, section 4.1: 34 bytes x hidden at inner = 4 x hidden) without dropout
  and without the matrix of attention, which no kernel in use here keeps; at most 10 x hidden + 4 x inner, for gated
  MLPs: what the trainer itself divides its memory by (`worker.trainer.device.token_budget`). With gradient
  checkpointing a layer keeps its input, and one layer at a time the rest.
- logits, a token: 8 bytes x vocabulary where something is learnt (fp32 numbers and their gradients), up to 10 x
  vocabulary everywhere; a classifier has none to speak of.
- the program: 0.35 to 1 GB, measured for torch and transformers on a CPU; on a GPU its context takes about as much.

`precision: auto` is bf16 where the worker's device computes in it, which it does not tell: then the range spans both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gateway.estimates.shape import Shape
from kargah.contracts.estimates import ByteRange, MemoryEstimate, TokenCounts

TokensAtATime = Mapping[Literal["cpu", "gpu"], int]
TOKENS_AT_A_TIME: TokensAtATime = {"cpu": 2048, "gpu": 65_536}
"""The most that a trainer sends through a model at once by itself (`worker.trainer.device`)."""
_PROGRAM = ByteRange(least=350_000_000, most=1_000_000_000)
_WIDTHS: Mapping[str, tuple[int, int]] = {"auto": (2, 4), "bf16": (2, 2), "fp32": (4, 4)}


@dataclass(frozen=True, slots=True)
class Work:
    """What is trained: `trained` parameters at least and at most; `vocabulary` 0 where no logits of words are made."""

    parameters: int
    trained: tuple[int, int]
    shape: Shape
    vocabulary: int
    params: Mapping[str, Any]
    counts: TokenCounts | None

    @property
    def widths(self) -> tuple[int, int]:
        """Bytes of a number in the passes."""
        return _WIDTHS.get(str(self.params.get("precision", "auto")), _WIDTHS["auto"])


def memory_of(work: Work, device: Literal["cpu", "gpu"], sharers: int) -> MemoryEstimate:
    """On each of a job's devices; weights, gradients and moments are divided among `sharers`."""
    fewest, tokens = _tokens(work, device)
    parts = {name: _divided(part, sharers) for name, part in _states(work).items()}
    activations = ByteRange(least=_least(work, fewest), most=_most(work, tokens))
    every = [*parts.values(), activations, _PROGRAM]
    total = ByteRange(least=sum(part.least for part in every), most=sum(part.most for part in every))
    alone = _least(work, min(fewest, _longest(work)))
    return MemoryEstimate(
        **parts,
        activations=activations,
        program=_PROGRAM,
        total=total,
        required=total.least - activations.least + alone,
        tokens_at_a_time=tokens,
    )


def _states(work: Work) -> dict[str, ByteRange]:
    (few, many), (narrow, wide) = work.trained, work.widths
    copied = 2 if narrow == 2 else 0
    return {
        "weights": ByteRange(
            least=min((work.parameters - trained) * narrow + 4 * trained for trained in work.trained),
            most=max((work.parameters - trained) * wide + (4 + copied) * trained for trained in work.trained),
        ),
        "gradients": ByteRange(least=4 * few, most=4 * many),
        "moments": ByteRange(least=8 * few, most=8 * many),
    }


def _tokens(work: Work, device: Literal["cpu", "gpu"]) -> tuple[int, int]:
    """How many go through the model at a time, at least and at most: a step's rows, as far as the trainer lets them."""
    params, longest = work.params, _longest(work)
    limit = int(params.get("max_tokens_per_batch") or TOKENS_AT_A_TIME[device])
    rows = int(params.get("batch_size", 1)) * int(params.get("gradient_accumulation", 1))
    mean = work.counts.tokens / work.counts.rows if work.counts is not None else 1.0
    return max(1, min(limit, int(rows * mean))), max(longest, min(limit, rows * longest))


def _longest(work: Work) -> int:
    limit = int(work.params.get("max_length", 512))
    return limit if work.counts is None else min(limit, work.counts.longest)


def _least(work: Work, tokens: int) -> int:
    counts = work.counts
    share = counts.trained_tokens / counts.tokens if counts is not None and counts.tokens else 0.0
    return int(tokens * (_kept(work, 8, 2) * work.widths[0] + 8 * work.vocabulary * share))


def _most(work: Work, tokens: int) -> int:
    return tokens * (_kept(work, 10, 4) * work.widths[1] + 10 * work.vocabulary)


def _kept(work: Work, hidden: int, inner: int) -> int:
    """Numbers a token, of all layers."""
    shape = work.shape
    layer = hidden * shape.hidden + inner * shape.inner
    if work.params.get("gradient_checkpointing") is True:
        return shape.layers * shape.hidden + layer
    return shape.layers * layer


def _divided(part: ByteRange, sharers: int) -> ByteRange:
    return ByteRange(least=part.least // sharers, most=-(-part.most // sharers))
