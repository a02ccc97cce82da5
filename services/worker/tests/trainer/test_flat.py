"""Padding-free passes compute what padded ones compute, and segments do not see each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

from worker.testing.tiny_models import tiny_bert, tiny_llama
from worker.trainer.attention import SEGMENTS
from worker.trainer.choose_layout import choose_layout
from worker.trainer.cross_entropy import summed_cross_entropy
from worker.trainer.device import open_device
from worker.trainer.items import Item
from worker.trainer.layout import Batch, Flat, Layout, Padded
from worker.trainer.learner import Learner, bare
from worker.trainer.material import Material
from worker.trainer.models import load_tokenizer
from worker.trainer.objective import NextToken, Task

CPU = torch.device("cpu")
LENGTHS = (3, 17, 17, 8, 40, 1)


def tasks(seed: int, lengths: tuple[int, ...] = LENGTHS) -> list[Task]:
    random = np.random.default_rng(seed)
    items = [Item(random.integers(5, 300, length).astype(np.int32), random.random(length) < 0.6) for length in lengths]
    return [NextToken().prepare(item, number, 0) for number, item in enumerate(items)]


def gradients(learner: Learner, layout: Layout, implementation: str) -> tuple[float, dict[str, Tensor]]:
    learner.model.zero_grad(set_to_none=True)
    with learner.attention(implementation):
        batch = layout.build(tasks(0), CPU)
        loss = F.cross_entropy(learner.logits(batch), batch.targets, reduction="sum")
        loss.backward()  # type: ignore[no-untyped-call]
    found = {name: parameter.grad for name, parameter in learner.model.named_parameters()}
    return float(loss.detach()), {name: grad.clone() for name, grad in found.items() if grad is not None}


@pytest.mark.parametrize("changes", [{}, {"num_key_value_heads": 4}, {"attention_bias": True}])
def test_flat_and_padded_give_the_same_loss_and_gradients(tmp_path: Path, changes: dict[str, Any]) -> None:
    learner = Learner(AutoModelForCausalLM.from_pretrained(tiny_llama(tmp_path, **changes)).eval())

    flat_loss, flat = gradients(learner, Flat(), SEGMENTS)
    padded_loss, padded = gradients(learner, Padded(2), "sdpa")

    assert flat_loss == pytest.approx(padded_loss, rel=1e-5)
    assert flat.keys() == padded.keys()
    for name, gradient in flat.items():
        assert torch.allclose(gradient, padded[name], atol=1e-5), name


def test_flat_and_padded_agree_for_an_encoder(tmp_path: Path) -> None:
    learner = Learner(AutoModelForMaskedLM.from_pretrained(tiny_bert(tmp_path)).eval())

    flat_loss, flat = gradients(learner, Flat(), SEGMENTS)
    padded_loss, padded = gradients(learner, Padded(0), "sdpa")

    assert flat_loss == pytest.approx(padded_loss, rel=1e-5)
    assert all(torch.allclose(gradient, padded[name], atol=1e-5) for name, gradient in flat.items())


def test_examples_do_not_see_each_other(tmp_path: Path) -> None:
    learner = Learner(AutoModelForCausalLM.from_pretrained(tiny_llama(tmp_path)).eval())
    first = tasks(0)
    changed = [Task((first[0].ids + 7) % 300, first[0].positions, first[0].targets), *first[1:]]

    with torch.no_grad(), learner.attention(SEGMENTS):
        before = learner.logits(Flat().build(first, CPU))
        after = learner.logits(Flat().build(changed, CPU))

    own = len(first[0].targets)
    assert own > 0
    assert not torch.equal(before[:own], after[:own])
    assert torch.equal(before[own:], after[own:])


def test_a_sliding_window_is_kept_within_segments(tmp_path: Path) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=300, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=6,
    )  # fmt: skip
    learner = Learner(MistralForCausalLM(config).eval())
    learner.model.config._attn_implementation = "sdpa"

    with torch.no_grad():
        with learner.attention(SEGMENTS):
            flat = learner.logits(Flat().build(tasks(0), CPU))
        padded = learner.logits(Padded(0).build(tasks(0), CPU))

    assert torch.allclose(flat, padded, atol=1e-5)


def material(model: Any, folder: Path) -> Material:
    tokenizer = load_tokenizer(folder)
    return Material(model, tokenizer, NextToken(), encoder=None, save=lambda _: None)  # type: ignore[arg-type]


def test_an_architecture_whose_attention_is_not_plain_is_padded(tmp_path: Path) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    tiny_llama(tmp_path)
    config = Gemma2Config(
        vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, head_dim=8, attn_logit_softcapping=50.0,
    )  # fmt: skip
    model = Gemma2ForCausalLM(config)
    before = model.config._attn_implementation

    layout = choose_layout(Learner(model), material(model, tmp_path), open_device("fp32", 1))

    assert isinstance(layout, Padded)
    assert model.config._attn_implementation == before


def test_a_plain_architecture_is_flat(tmp_path: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(tiny_llama(tmp_path))

    layout = choose_layout(Learner(model), material(model, tmp_path), open_device("fp32", 1))

    assert isinstance(layout, Flat)
    assert bare(model).config._attn_implementation == SEGMENTS


def test_attention_that_leaks_between_segments_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: one causal attention over the whole row must not be taken for a segmented one."""
    from transformers.modeling_utils import AttentionInterface

    def leaky(module: Any, query: Tensor, key: Tensor, value: Tensor, mask: Any, **kwargs: Any) -> tuple[Tensor, None]:
        key, value = (tensor.repeat_interleave(query.shape[1] // key.shape[1], 1) for tensor in (key, value))
        return F.scaled_dot_product_attention(query, key, value, is_causal=True).transpose(1, 2), None

    monkeypatch.setitem(AttentionInterface._global_mapping, SEGMENTS, leaky)
    model = AutoModelForCausalLM.from_pretrained(tiny_llama(tmp_path))

    assert isinstance(choose_layout(Learner(model), material(model, tmp_path), open_device("fp32", 1)), Padded)


def test_logits_are_computed_only_where_they_are_wanted(tmp_path: Path) -> None:
    learner = Learner(AutoModelForCausalLM.from_pretrained(tiny_llama(tmp_path)).eval())
    batch: Batch = Padded(2).build(tasks(0), CPU)
    assert batch.positions is not None

    with torch.no_grad():
        chosen = learner.logits(batch)
        everywhere = learner.model(**batch.inputs).logits.flatten(0, 1)

    assert chosen.shape == (len(batch.targets), 400)
    assert torch.allclose(chosen, everywhere[batch.positions], atol=1e-6)


def test_the_lean_cross_entropy_is_the_plain_one() -> None:
    random = torch.Generator().manual_seed(0)
    logits = (torch.randn(50, 200, generator=random) * 30).requires_grad_()
    targets = torch.randint(0, 200, (50,), generator=random)
    plain = F.cross_entropy(logits, targets, reduction="sum") / 7
    (expected,) = torch.autograd.grad(plain, logits)

    loss, hits = summed_cross_entropy(logits, targets)
    (found,) = torch.autograd.grad(loss / 7, logits)

    assert float(loss.detach()) / 7 == pytest.approx(float(plain.detach()), rel=1e-6)
    assert torch.allclose(found, expected, atol=1e-6)
    assert int(hits) == int((logits.argmax(-1) == targets).sum())
    assert not torch.isfinite(summed_cross_entropy(logits.detach() * float("nan"), targets)[0])
