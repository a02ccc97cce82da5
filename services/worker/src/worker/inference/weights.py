"""Whether a model's files hold the weights that its configuration asks for, told before memory of that size is taken.

A configuration is a few hundred bytes that anybody can write, and may ask for thousands of gigabytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from worker.inference.errors import NotUsable

# What a model makes for itself beside its weights: masks, the frequencies of positions.
_OWN_BYTES = 256 << 20
_MOST_NAMED = 3
_HINT = "Install or upload the model again, with all of its files."


def require_room(folder: Path, config: Any) -> None:
    """Raises NotUsable where `config` describes a model that is far larger than the weights in `folder`."""
    stored = list(_stored(folder))
    layers = getattr(config.get_text_config(), "num_hidden_layers", None) or 0
    if layers > len(stored):  # so many could not even be described in reasonable time
        raise _too_large(f"{layers:,} layers", f"{len(stored):,} tensors")
    if getattr(config, "quantization_config", None) is not None:
        return  # several weights in one number: how many is the library's to tell
    has = sum(torch.Size(shape).numel() for shape in stored)
    wants, own_bytes = _described(config)
    if wants > 2 * has + _OWN_BYTES // 4 or own_bytes > 8 * has + _OWN_BYTES:
        raise _too_large(f"{wants:,} weights", f"{has:,}")


def require_all(missing: Sequence[str]) -> None:
    """Raises NotUsable where weights are `missing`, by name: they would have been made up."""
    if missing:
        named = ", ".join(sorted(missing)[:_MOST_NAMED])
        raise NotUsable(f"The model's files lack {len(missing):,} of its weights: {named}.", hint=_HINT)


def require_rank(folder: Path) -> None:
    """The same as `require_room` for an adapter: its rank is that of its matrices."""
    config = json.loads((folder / "adapter_config.json").read_bytes())
    ranks = [config.get("r"), *(config.get("rank_pattern") or {}).values()]
    most = max((size for shape in _stored(folder) for size in shape), default=0)
    if any(isinstance(rank, int) and rank > most for rank in ranks):
        raise _too_large(f"rank {max(rank for rank in ranks if isinstance(rank, int)):,}", f"at most {most:,}")


def _stored(folder: Path) -> Iterator[list[int]]:
    """The shapes of the tensors in its files; their headers alone are read."""
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118  # it is no mapping
                yield file.get_slice(name).get_shape()


def _described(config: Any) -> tuple[int, int]:
    """How many weights a model of this configuration has, each counted once, and the bytes of its buffers."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    model.tie_weights()
    return sum(each.numel() for each in model.parameters()), sum(each.nbytes for each in model.buffers())


def _too_large(described: str, held: str) -> NotUsable:
    message = f"The model's configuration describes {described}, and its files hold {held}."
    return NotUsable(message, hint=_HINT)
