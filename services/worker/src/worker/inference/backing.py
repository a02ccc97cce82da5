"""Whether a model's weights are as many as its configuration says: what they lack would be made up in memory."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from worker.inference.errors import NotUsable

_MADE_UP = 1 << 26  # parameters: heads that a checkpoint leaves out, and the like


def require_weights(folder: Path) -> None:
    """Raises NotUsable where half of what the configuration asks for is not there, before any of it takes memory; what
    reading the folder raises. Weights that are packed (quantized) are left to those who unpack them."""
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if getattr(config, "quantization_config", None) is not None:
        return
    tensors, stored = _stored(folder)
    layers = getattr(config, "num_hidden_layers", 0)
    if isinstance(layers, int) and layers > tensors:
        raise _unbacked(f"{layers:,} layers", f"{tensors:,} tensors")
    wanted = _wanted(AutoModelForCausalLM, config)
    if wanted - stored > max(_MADE_UP, wanted // 2):
        raise _unbacked(f"{wanted:,} parameters", f"{stored:,}")


def _wanted(auto: Any, config: Any) -> int:
    with torch.device("meta"):
        model = auto.from_config(config)
    return sum(parameter.numel() for parameter in model.parameters())


def _stored(folder: Path) -> tuple[int, int]:
    tensors = numbers = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                tensors += 1
                numbers += math.prod(file.get_slice(name).get_shape())
    return tensors, numbers


def _unbacked(wanted: str, there: str) -> NotUsable:
    message = f"The model's configuration asks for {wanted}, and its weights are {there}."
    return NotUsable(message, hint="Install the model again, with the configuration that belongs to its weights.")
