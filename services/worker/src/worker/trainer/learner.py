"""The model being trained, seen as one function: a batch in, logits at the batch's positions out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from worker.trainer.layout import Batch


class Learner:
    """Computes logits only where they are wanted: what follows the base model sees the chosen positions alone.

    `model` is a transformers model or a peft model around one; `forward` is what is called, which may be the model
    wrapped for mixed precision.
    """

    def __init__(self, model: Any, forward: Callable[..., Any] | None = None) -> None:
        self.model = model
        self.forward = forward if forward is not None else model
        self._positions: Tensor | None = None
        self._trunk(model).register_forward_hook(self._select)

    def logits(self, batch: Batch) -> Tensor:
        """(N, classes or vocabulary), in the order of `batch.targets`."""
        self._positions = batch.positions
        try:
            output = self.forward(**batch.inputs).logits
        finally:
            self._positions = None
        assert isinstance(output, Tensor)
        return output.flatten(0, -2)

    @contextmanager
    def attention(self, implementation: str) -> Iterator[None]:
        """Use another attention for a while, for generation say."""
        config = bare(self.model).config
        before = config._attn_implementation
        config._attn_implementation = implementation
        try:
            yield
        finally:
            config._attn_implementation = before

    def layers(self) -> list[nn.Module]:
        """The blocks of the trunk, in order; the trunk alone where it has no list of them."""
        trunk = self._trunk(self.model)
        lists = [module for module in trunk.modules() if isinstance(module, nn.ModuleList)]
        longest: nn.ModuleList | None = max(lists, key=len, default=None)
        return list(longest) if longest is not None and len(longest) > 0 else [trunk]

    @staticmethod
    def _trunk(model: Any) -> nn.Module:
        trunk = bare(model).base_model
        assert isinstance(trunk, nn.Module)
        return trunk

    def _select(self, module: nn.Module, args: Any, output: Any) -> Any:
        if self._positions is None:
            return output
        hidden = output[0].flatten(0, 1).index_select(0, self._positions)[None]
        if isinstance(output, tuple):
            return (hidden, *output[1:])
        output.last_hidden_state = hidden
        return output


def bare(model: Any) -> Any:
    """The transformers model inside a peft model; any other model as it is."""
    return model.get_base_model() if hasattr(model, "peft_config") and hasattr(model, "get_base_model") else model


def parameters(model: nn.Module) -> tuple[int, int]:
    """How many numbers are trained, and how many there are."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)
