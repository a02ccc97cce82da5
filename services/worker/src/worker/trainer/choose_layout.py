"""Whether a model can be trained without padding: asked of the model itself, not of a list of names."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from worker.trainer.attention import SEGMENTS, VARLEN
from worker.trainer.device import Device
from worker.trainer.layout import Flat, Layout, Padded
from worker.trainer.learner import Learner, bare
from worker.trainer.material import Material
from worker.trainer.objective import Task
from worker.trainer.ranks.sharding import recover

_LENGTHS = (5, 9, 9, 3)
_CANNOT = (
    NotImplementedError,
    TypeError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    RuntimeError,
    AssertionError,
)


def choose_layout(learner: Learner, material: Material, device: Device) -> Layout:
    """Flat with the fastest attention that provably computes what padding computes, else padded.

    A few short segments go through the model both ways. They must agree, and with the first segment changed, the
    others' results must be the same to the bit. The model's attention is left as the layout needs it.
    """
    keywords = tuple(material.inputs.items())
    padded = Padded(_pad_id(material), extra=keywords)
    if not material.objective.per_token:
        return padded
    config = bare(learner.model).config
    before = config._attn_implementation
    for name in _candidates(learner, device.torch):
        config._attn_implementation = name
        if _agrees(learner, Flat(keywords), padded, before, name, device):
            return Flat(keywords)
    config._attn_implementation = before
    return padded


def _pad_id(material: Material) -> int:
    """What padding is filled with; it is masked out wherever it could matter."""
    found = material.tokenizer.pad_token_id
    return int(found) if found is not None else 0


def _candidates(learner: Learner, device: torch.device) -> Iterator[str]:
    if not getattr(bare(learner.model), "_supports_attention_backend", False):
        return
    if device.type == "cuda":
        yield VARLEN
    yield SEGMENTS


def _agrees(learner: Learner, flat: Flat, padded: Padded, plain: str, name: str, device: Device) -> bool:
    vocabulary = bare(learner.model).get_input_embeddings().num_embeddings
    first, second = _tasks(vocabulary, changed=False), _tasks(vocabulary, changed=True)
    training = learner.model.training
    learner.model.eval()
    try:
        with torch.no_grad():
            with learner.attention(plain):
                expected = learner.logits(padded.build(first, device.torch)).float()
            with learner.attention(name):
                found = learner.logits(flat.build(first, device.torch)).float()
                other = learner.logits(flat.build(second, device.torch)).float()
    except _CANNOT:
        recover(bare(learner.model))
        return False
    finally:
        learner.model.train(training)
    tolerance = 0.3 if device.precision == "bf16" else 1e-2
    return _close(found, expected, tolerance) and torch.equal(found[_LENGTHS[0] :], other[_LENGTHS[0] :])


def _close(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Within `tolerance` of the logits' spread: a segment that saw another one is much further off."""
    if found.shape != expected.shape or not bool(torch.isfinite(found).all()):
        return False
    return float((found - expected).abs().max()) <= tolerance * max(float(expected.std()), 1e-3)


def _tasks(vocabulary: int, changed: bool) -> list[Task]:
    random = np.random.default_rng(0)
    tasks = []
    for number, length in enumerate(_LENGTHS):
        ids = random.integers(0, vocabulary, length).astype(np.int32)
        if changed and number == 0:
            ids = (ids + 1) % vocabulary
        tasks.append(Task(ids.astype(np.int32), np.arange(length), np.zeros(length, dtype=np.int64)))
    return tasks


def describe_layout(layout: Layout, learner: Learner) -> str:
    """For the log."""
    if isinstance(layout, Padded):
        return "padded batches of like length"
    return f"padding-free batches ({bare(learner.model).config._attn_implementation})"
