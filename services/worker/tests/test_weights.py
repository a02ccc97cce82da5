"""Models whose configuration asks for more than their files hold are told before memory is taken; others load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, MixtralConfig, MixtralForCausalLM

from worker.inference import language_model
from worker.inference.errors import NotUsable
from worker.inference.language_model import open_language_model
from worker.testing.tiny_models import tiny_llama

# peft asks transformers by an older name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


def _changed(folder: Path, name: str = "config.json", **changes: Any) -> Path:
    config = json.loads((folder / name).read_text())
    (folder / name).write_text(json.dumps(config | changes))
    return folder


@pytest.fixture
def never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fails as soon as weights would be made."""

    def made(*_args: Any, **_options: Any) -> None:
        raise AssertionError("the model was made")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", made)


def test_files_that_are_not_what_the_libraries_expect_are_refused(tmp_path: Path) -> None:
    (tiny_llama(tmp_path) / "tokenizer.json").write_text("{}")
    with pytest.raises(NotUsable, match="cannot be loaded"):
        open_language_model(tmp_path, None, "cpu")


@pytest.mark.usefixtures("never_read")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"num_hidden_layers": 10**9}, "describes 1,000,000,000 layers, and its files hold"),
        ({"hidden_size": 16_384, "intermediate_size": 1 << 20}, "weights, and its files hold"),
        ({"vocab_size": 10**10}, "weights, and its files hold"),
        ({"hidden_size": -4}, "cannot be loaded"),
        ({"num_attention_heads": 0}, "cannot be loaded"),
        ({"num_hidden_layers": "two"}, "cannot be loaded"),
        ({"vocab_size": 1 << 62}, "cannot be loaded|weights, and"),
    ],
)
def test_a_configuration_beyond_the_files_is_refused(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(NotUsable, match=told):
        open_language_model(_changed(tiny_llama(tmp_path), **changes), None, "cpu")


def test_weights_that_are_not_there_are_not_made_up(tmp_path: Path) -> None:
    file = tiny_llama(tmp_path) / "model.safetensors"
    weights = load_file(file)
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(NotUsable, match=r"lack 1 of its weights: model\.layers\.1\.mlp\.up_proj\.weight"):
        open_language_model(tmp_path, None, "cpu")


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model,
        lambda model: model.to(torch.float16),
        lambda model: GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=2, n_head=2, vocab_size=400)),
        lambda model: MixtralForCausalLM(
            MixtralConfig(
                hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=2,
                num_local_experts=4, vocab_size=400,
            )
        ),
    ],
    ids=["tied", "half", "with masks of its own", "experts"],
)  # fmt: skip
def test_what_is_whole_loads_from_however_many_files(tmp_path: Path, change: Callable[[Any], Any]) -> None:
    model = change(AutoModelForCausalLM.from_pretrained(tiny_llama(tmp_path / "tiny")))
    (tmp_path / "tiny" / "model.safetensors").unlink()
    model.save_pretrained(tmp_path / "tiny", max_shard_size="40KB")
    assert len(list((tmp_path / "tiny").glob("*.safetensors"))) > 1
    loaded = open_language_model(tmp_path / "tiny", None, "cpu").model
    assert loaded.config.model_type == model.config.model_type
    assert all(not weights.is_meta and weights.dtype is torch.float32 for weights in loaded.parameters())


def test_an_adapter_of_a_rank_beyond_its_files_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tiny_llama(tmp_path / "base")
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"])
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), lora).save_pretrained(tmp_path / "tuned")
    assert open_language_model(tmp_path / "tuned", base, "cpu").context_length > 0
    for changes in ({"r": 10**9}, {"rank_pattern": {"q_proj": 10**9}}):
        _changed(tmp_path / "tuned", "adapter_config.json", r=4, rank_pattern={})
        with pytest.raises(NotUsable, match="rank 1,000,000,000, and its files hold at most 32"):
            open_language_model(_changed(tmp_path / "tuned", "adapter_config.json", **changes), base, "cpu")
    assert language_model._LOADING.acquire(timeout=1)
    language_model._LOADING.release()
