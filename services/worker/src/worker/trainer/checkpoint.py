"""Resumable state: taken in memory between two steps, read back with every reason to refuse it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from worker.trainer.artifacts import disk_errors
from worker.trainer.buffers import Buffers, Files
from worker.trainer.errors import TrainingError
from worker.trainer.ranks import sharding
from worker.trainer.ranks.sharding import laid_out
from worker.trainer.rng import RandomState
from worker.trainer.state import RunState

_LAYOUT = 1
_STATE, _WEIGHTS, _OPTIMIZER, _RANDOM = (
    "state.json",
    "weights.safetensors",
    "optimizer.safetensors",
    "random.safetensors",
)


@dataclass(frozen=True)
class Identity:
    """What a checkpoint belongs to. `must_match` decides whether it may be resumed; `versions` is only told."""

    must_match: dict[str, str]
    versions: dict[str, str]


@dataclass(frozen=True)
class Snapshot:
    """A copy in host memory, independent of what training does next. `tensors` by file, `document` is JSON;
    `seconds` is how long copying took."""

    state: RunState
    tensors: Files
    document: dict[str, Any]
    seconds: float

    def write(self, folder: Path) -> None:
        """Raises OSError when there is no room."""
        folder.mkdir(parents=True)
        with disk_errors():
            for name, tensors in self.tensors.items():
                save_file(tensors, folder / name)
        document = self.document | {"state": self.state.model_dump()}
        (folder / _STATE).write_text(json.dumps(document), encoding="utf-8")


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """What training changes: trained parameters, each once however often it is tied, and saved buffers."""
    tensors = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    kept = model.state_dict(keep_vars=True).keys()
    return tensors | {name: buffer for name, buffer in model.named_buffers() if name in kept}


def take(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    random: RandomState,
    state: RunState,
    identity: Identity,
    buffers: Buffers,
) -> Snapshot:
    """Copy everything; training stands still meanwhile, so it does nothing else.

    The snapshot before, taken with the same `buffers`, must have been written.
    """
    packed = optimizer.state_dict()
    document = {
        "layout": _LAYOUT,
        "must_match": identity.must_match,
        "versions": identity.versions,
        "param_groups": packed["param_groups"],
        "random": random.plain,
        "schedule": {"learning_rate": [group["lr"] for group in packed["param_groups"]]},
    }
    files = {_WEIGHTS: trained_tensors(model), _OPTIMIZER: _moments(packed), _RANDOM: random.tensors}
    tensors, seconds = buffers.copy(files)
    return Snapshot(state.model_copy(update={"history": list(state.history)}), tensors, document, seconds)


def attend(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """What a process does while the first one takes a snapshot of a model that is divided among them."""
    sharding.attend(trained_tensors(model))
    sharding.attend(_moments(optimizer.state_dict()))


def _moments(packed: dict[str, Any]) -> dict[str, Tensor]:
    """Of an optimizer's state, by the parameter's number and the kind of moment."""
    return {f"{index}.{key}": value for index, kept in packed["state"].items() for key, value in kept.items()}


@dataclass(frozen=True)
class Restored:
    """What was read back besides weights and optimizer, and which libraries have changed since."""

    state: RunState
    random: RandomState
    changed_versions: dict[str, str]


def restore(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer, identity: Identity) -> Restored:
    """Load a checkpoint into `model` and `optimizer`. Raises TrainingError that says why it cannot be resumed."""
    try:
        document = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        files = {name: load_file(folder / name) for name in (_WEIGHTS, _OPTIMIZER, _RANDOM)}
    except (OSError, ValueError, SafetensorError) as error:
        raise TrainingError("bad_checkpoint", f"The checkpoint cannot be read: {error}", _FRESH) from error
    _check(document, identity)
    _load_weights(model, files[_WEIGHTS])
    optimizer.load_state_dict(_optimizer_state(document["param_groups"], files[_OPTIMIZER], optimizer))
    versions = {
        name: f"{document['versions'].get(name)} -> {now}"
        for name, now in identity.versions.items()
        if document["versions"].get(name) != now
    }
    random = RandomState(files[_RANDOM], document["random"])
    return Restored(RunState.model_validate(document["state"]), random, versions)


_FRESH = "Start a new job with these settings; it cannot go on from this checkpoint."


def _check(document: dict[str, Any], identity: Identity) -> None:
    if document.get("layout") != _LAYOUT:
        raise TrainingError("checkpoint_mismatch", "The checkpoint was written by another release.", _FRESH)
    differing = [name for name, value in identity.must_match.items() if document["must_match"].get(name) != value]
    if differing:
        what = ", ".join(differing)
        raise TrainingError("checkpoint_mismatch", f"The checkpoint belongs to another run: {what} differ.", _FRESH)


def _load_weights(model: nn.Module, saved: dict[str, Tensor]) -> None:
    current = trained_tensors(model)
    if current.keys() != saved.keys() or any(current[name].shape != saved[name].shape for name in saved):
        raise TrainingError("checkpoint_mismatch", "The checkpoint's weights are not this model's.", _FRESH)
    with torch.no_grad():
        for name, tensor in saved.items():
            current[name].copy_(laid_out(tensor, current[name]))


def _optimizer_state(
    groups: list[dict[str, Any]], moments: dict[str, Tensor], optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, tensor in moments.items():
        index, _, key = name.partition(".")
        like = parameters[int(index)]
        state.setdefault(int(index), {})[key] = laid_out(tensor, like) if tensor.shape == like.shape else tensor
    restored = [group | {"betas": tuple(group["betas"])} for group in groups]
    return {"state": state, "param_groups": restored}
