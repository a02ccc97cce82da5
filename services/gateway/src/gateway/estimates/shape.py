"""The shape of a transformer, as its config.json tells it, and how many parameters an adapter for it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NAMES: Mapping[str, tuple[str, ...]] = {
    "layers": ("num_hidden_layers", "n_layer", "num_layers"),
    "hidden": ("hidden_size", "n_embd", "d_model"),
    "heads": ("num_attention_heads", "n_head"),
    "inner": ("intermediate_size", "n_inner"),
    "vocabulary": ("vocab_size",),
}
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a dense transformer: `queries` and `keys` are the widths of all its heads together."""

    layers: int
    hidden: int
    inner: int
    queries: int
    keys: int
    vocabulary: int

    def adapter_parameters(self, rank: int, *, matrices: int) -> int:
        """Of LoRA at every linear layer: `rank` x (inputs + outputs) each; an MLP has two `matrices`, a gated one
        three."""
        attention = 2 * (self.hidden + self.queries) + 2 * (self.hidden + self.keys)
        return self.layers * rank * (attention + matrices * (self.hidden + self.inner))


def shape_of(config: Mapping[str, Any]) -> Shape | None:
    """None where config.json does not tell, and for mixtures of experts, whose tokens see only a part of them."""
    found = {name: _number(config, keys) for name, keys in _NAMES.items()}
    layers, hidden, vocabulary = found["layers"], found["hidden"], found["vocabulary"]
    if layers is None or hidden is None or vocabulary is None or _number(config, _EXPERTS) is not None:
        return None
    heads = found["heads"] or 1
    width = _number(config, ("head_dim",)) or hidden // heads
    keys = _number(config, ("num_key_value_heads",)) or heads
    return Shape(layers, hidden, found["inner"] or 4 * hidden, heads * width, keys * width, vocabulary)


def _number(config: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    values = (config.get(name) for name in names)
    return next((value for value in values if type(value) is int and value > 0), None)
