"""A model divided among the ranks: each holds its share of every weight, gradient and moment, and a block of layers is
whole only while it computes. Every function but `laid_out` is a meeting of all ranks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor


def divide(model: nn.Module, size: int, device: torch.device) -> None:
    """Leave this rank its share of `model`, on its device. What is called must be `model` itself, every block of it by
    its `__call__`, and as often on every rank."""
    mesh = init_device_mesh(device.type, (size,))
    for block in _blocks(model):
        fully_shard(block, mesh=mesh)
    # The rest is put away after each pass too: between passes there is then nothing but shares.
    fully_shard(model, mesh=mesh, reshard_after_forward=True)
    for module in model.modules():
        if isinstance(module, FSDPModule):
            # The loss is divided by the targets of all ranks already.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor of which each rank may have a share."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def laid_out(tensor: Tensor, like: Tensor) -> Tensor:
    """This rank's share of a whole tensor, as of `like`, of the same shape."""
    if not isinstance(like, DTensor):
        return tensor
    return distribute_tensor(tensor.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def attend(tensors: Mapping[str, Tensor]) -> None:
    """Give what this rank has to a rank that makes the same tensors whole, in the same order."""
    for tensor in tensors.values():
        whole(tensor.detach())


def reunite(model: nn.Module, *, here: bool) -> None:
    """Where it is wanted `here`, `model` becomes an ordinary one, in host memory. Of a model with frozen weights these
    stay divided: they are no part of what is saved."""
    frozen = not all(parameter.requires_grad for parameter in model.parameters())
    parts: dict[int, nn.Parameter] = {}
    for module in model.modules():
        for name, parameter in list(module.named_parameters(recurse=False, remove_duplicate=False)):
            if frozen and not parameter.requires_grad:
                continue
            if id(parameter) not in parts:
                full = whole(parameter.detach())
                parts[id(parameter)] = nn.Parameter(full.cpu(), parameter.requires_grad) if here else parameter
            setattr(module, name, parts[id(parameter)])
    for module in model.modules() if here else ():
        if isinstance(module, FSDPModule):
            module.__class__ = _own_class(module)


def _own_class(module: nn.Module) -> type[Any]:
    """Of a divided module: what it was before it was mixed with what divides it."""
    classes = type(module).__mro__
    return next(each for each in classes if issubclass(each, nn.Module) and not issubclass(each, FSDPModule))


def recover(model: nn.Module) -> None:
    """After a pass that failed on every rank alike."""
    if isinstance(model, FSDPModule):
        model.reset_iter_state()


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """The outermost lists' members: experts of a layer, say, stay together, as not every rank calls each of them."""
    if isinstance(module, nn.ModuleList):
        return (block for block in module if any(True for _ in block.parameters()))
    return chain.from_iterable(_blocks(child) for child in module.children())
