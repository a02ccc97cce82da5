"""Export to GGUF: one file that transformers reads back, with the tokens, the template and the logits of the source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from gguf import GGUFReader
from transformers import AutoModelForCausalLM, AutoTokenizer

from kargah.contracts.runs import FailedMessage, OutputMessage
from kargah.domain.kinds import Kind
from worker.installs.gguf_llama import convert
from worker.testing.tiny_models import tiny_llama
from worker.trainer.main import PERMANENT
from worker.trainer.testing import Ran, Runner

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
TUNING = {"batch_size": 8, "epochs": 1, "max_steps": 10, "learning_rate": 5e-3, "max_length": 64, "eval_fraction": 0.0}


@pytest.fixture
def export(train: Runner) -> Callable[..., Ran]:
    def run(model: Path, base: Path | None = None, quantization: str = "f16") -> Ran:
        return train(
            "export",
            kind=Kind.EXPORT,
            bare={"format": "gguf", "quantization": quantization},
            model_dir=str(model),
            base_dir=None if base is None else str(base),
            facts={"output_model": "owner/tiny-gguf", "model": "tiny", "model_version": 3, "license": "mit"},
        )

    return run


def _made(ran: Ran) -> OutputMessage:
    assert ran.status == 0, ran.context.sent(FailedMessage)
    return ran.context.sent(OutputMessage)[0]


@pytest.mark.parametrize(("quantization", "most"), [("f16", 0.01), ("q8_0", 0.2)])
def test_a_whole_model_becomes_one_file(
    export: Callable[..., Ran], inputs: Any, quantization: str, most: float
) -> None:
    ran = export(inputs.llama, quantization=quantization)
    output = _made(ran)
    assert {file.path for file in output.files} == {f"tiny-gguf-{quantization}.gguf", "README.md"}
    assert 0 <= output.metrics["difference"] < most
    assert output.metrics["quantization"] == quantization and "template_sha256" in output.lineage
    card = (ran.output / "README.md").read_text(encoding="utf-8")
    assert 'license: "mit"' in card and "tiny version 3" in card
    _compare(inputs.llama, ran.output, f"tiny-gguf-{quantization}.gguf", most)


def _compare(source: Path, folder: Path, file: str, most: float) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    original = AutoTokenizer.from_pretrained(source)
    talk = [{"role": "user", "content": "سلام دنیا"}]
    assert tokenizer.apply_chat_template(talk) == original.apply_chat_template(talk)
    assert (tokenizer.eos_token, tokenizer.pad_token) == (original.eos_token, original.pad_token)
    ids = original("red green کتاب", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        found = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32)(ids).logits
        expected = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)(ids).logits
    assert float((found - expected).abs().max() / expected.std()) < most


def test_an_adapter_is_merged_first(export: Callable[..., Ran], train: Runner, inputs: Any) -> None:
    tuned = train("sft", params=TUNING)
    assert tuned.status == 0
    plain, merged = _made(export(inputs.llama)), _made(export(tuned.output, inputs.llama))
    assert merged.metrics["difference"] < 0.01
    weights = [next(file.sha256 for file in made.files if file.path.endswith(".gguf")) for made in (plain, merged)]
    assert weights[0] != weights[1]


def test_the_platforms_own_reader_gets_the_same_model(export: Callable[..., Ran], inputs: Any, tmp_path: Path) -> None:
    ran = export(inputs.llama)
    convert(ran.output / "tiny-gguf-f16.gguf", tmp_path, lambda done, total: None)
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        found = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32)(ids).logits
        expected = AutoModelForCausalLM.from_pretrained(inputs.llama, dtype=torch.float32)(ids).logits
    assert float((found - expected).abs().max() / expected.std()) < 0.05


def test_weights_of_their_own_for_the_output_are_kept(export: Callable[..., Ran], tmp_path: Path) -> None:
    untied = tiny_llama(tmp_path / "untied", tie_word_embeddings=False, head_dim=16, hidden_size=48)
    ran = export(untied, quantization="q8_0")
    _made(ran)
    kinds = {t.name: t.tensor_type.name for t in GGUFReader(str(ran.output / "tiny-gguf-q8_0.gguf")).tensors}
    assert kinds["output.weight"] == "F16", "48 columns are no whole number of blocks"
    assert kinds["output_norm.weight"] == "F32" and kinds["blk.0.ffn_down.weight"] == "Q8_0"


@pytest.mark.parametrize(
    "changes",
    [{"hidden_act": "gelu"}, {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e4}}],
)
def test_what_has_no_place_in_a_gguf_is_refused(export: Callable[..., Ran], tmp_path: Path, changes: Any) -> None:
    ran = export(tiny_llama(tmp_path / "odd", **changes))
    failure = ran.context.sent(FailedMessage)[0]
    assert (ran.status, failure.code) == (PERMANENT, "unsupported_gguf")
    assert failure.hint is not None and "llama" in failure.hint
