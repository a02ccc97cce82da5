"""Attention over a row of several segments, without a mask and without padding: each segment sees itself alone.

Registered with transformers as the attention implementations `kargah_segments` and `kargah_varlen`, which any
architecture that goes through its AttentionInterface can use. The segments come with the model's keyword arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers.modeling_utils import AttentionInterface

SEGMENTS = "kargah_segments"
VARLEN = "kargah_varlen"

_UNSUPPORTED = ("softcap", "s_aux", "position_bias", "cache")


@dataclass(frozen=True, slots=True)
class Run:
    """`count` neighbouring segments of the same `length`, the first of them at `start`."""

    start: int
    length: int
    count: int


@dataclass(frozen=True, slots=True)
class Segments:
    """The borders within a row: `runs` for the host, `borders` (segments + 1, int32) for the device."""

    runs: tuple[Run, ...]
    borders: Tensor
    longest: int

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> Segments:
        runs: list[Run] = []
        start = 0
        for length, equal in groupby(lengths):
            count = len(list(equal))
            runs.append(Run(start, length, count))
            start += length * count
        borders = F.pad(torch.tensor(lengths, dtype=torch.int32).cumsum(0, dtype=torch.int32), (1, 0))
        return cls(tuple(runs), borders.to(device, non_blocking=True), max(lengths))


def attend_by_segment(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    segments: Segments | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """`query` (1, heads, T, d), `key` and `value` (1, kv heads, T, d) -> (1, T, heads, d).

    Raises NotImplementedError for what it cannot compute, so that the caller falls back to padding.
    """
    runs = _checked(segments, attention_mask, kwargs).runs
    causal = _causal(module, is_causal)
    groups = query.shape[1] // key.shape[1]
    outputs = []
    sizes = [run.length * run.count for run in runs]
    parts = (torch.split(tensor, sizes, 2) for tensor in (query, key, value))
    for run, queries, keys, values in zip(runs, *parts, strict=True):
        mask = _window(run.length, sliding_window, causal, query.device)
        attended = F.scaled_dot_product_attention(
            _stack(queries, run),
            _repeat(_stack(keys, run), groups),
            _repeat(_stack(values, run), groups),
            attn_mask=mask,
            dropout_p=dropout,
            is_causal=causal and mask is None,
            scale=scaling,
        )
        outputs.append(attended.transpose(1, 2).flatten(0, 1))
    return torch.cat(outputs)[None] if len(outputs) > 1 else outputs[0][None], None


def attend_varlen(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    is_causal: bool | None = None,
    segments: Segments | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The same with one variable-length kernel for all segments: a GPU, half precision, and no dropout."""
    from torch.nn.attention.varlen import varlen_attn

    found = _checked(segments, attention_mask, kwargs)
    if dropout > 0:
        raise NotImplementedError("dropout in variable-length attention")
    causal = _causal(module, is_causal)
    left = -1 if sliding_window is None else sliding_window - 1
    groups = query.shape[1] // key.shape[1]
    half = torch.get_autocast_dtype("cuda") if torch.is_autocast_enabled("cuda") else query.dtype

    def rows(tensor: Tensor) -> Tensor:
        return tensor[0].transpose(0, 1).to(half).contiguous()

    attended = varlen_attn(
        rows(query),
        rows(_repeat(key, groups)),
        rows(_repeat(value, groups)),
        found.borders,
        found.borders,
        found.longest,
        found.longest,
        scale=scaling,
        window_size=(left, 0 if causal else left),
    )
    assert isinstance(attended, Tensor)
    return attended[None], None


def _checked(segments: Segments | None, mask: Tensor | None, kwargs: dict[str, Any]) -> Segments:
    if segments is None or mask is not None or any(kwargs.get(name) is not None for name in _UNSUPPORTED):
        raise NotImplementedError("this architecture's attention is not plain attention over segments")
    return segments


def _causal(module: nn.Module, is_causal: bool | None) -> bool:
    return bool(getattr(module, "is_causal", True)) if is_causal is None else is_causal


def _stack(part: Tensor, run: Run) -> Tensor:
    """(1, h, count * length, d) -> (count, h, length, d), without copying where there is one segment."""
    return part if run.count == 1 else part[0].reshape(part.shape[1], run.count, run.length, -1).transpose(0, 1)


def _repeat(tensor: Tensor, times: int) -> Tensor:
    return tensor if times == 1 else tensor.repeat_interleave(times, dim=1)


def _window(length: int, window: int | None, causal: bool, device: torch.device) -> Tensor | None:
    """Which keys each query sees where the model has a sliding window that is shorter than the segment."""
    if window is None or length <= window:
        return None
    distance = torch.arange(length, device=device)[:, None] - torch.arange(length, device=device)[None, :]
    return (distance >= 0) & (distance < window) if causal else distance.abs() < window


AttentionInterface.register(SEGMENTS, attend_by_segment)
AttentionInterface.register(VARLEN, attend_varlen)
