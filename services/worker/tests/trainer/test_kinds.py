"""Evaluations, exports and imports within this process, on tiny real models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from kargah.contracts.runs import (
    EventMessage,
    FailedMessage,
    MetricsMessage,
    OutputMessage,
    PhaseMessage,
    ProgressMessage,
    RunSpec,
    TrainerMessage,
)
from kargah.domain.kinds import Kind
from worker.testing.tiny_models import labelled_rows, write_rows
from worker.trainer import evaluation
from worker.trainer.main import PERMANENT, execute
from worker.trainer.testing import MemoryContext, Ran, Runner

# peft asks transformers in a way that it will not always answer.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
TUNING = {"batch_size": 8, "epochs": 3, "learning_rate": 5e-3, "max_length": 64, "eval_fraction": 0.0}


@pytest.fixture
def evaluate(train: Runner) -> Callable[..., Ran]:
    def run(recipe: str, params: dict[str, Any] | None = None, **changes: Any) -> Ran:
        return train(recipe, kind=Kind.EVALUATE, bare=params or {}, **changes)

    return run


@pytest.fixture
def adapter(train: Runner, inputs: Any) -> Path:
    """The tiny Llama tuned by LoRA."""
    ran = train("sft", params=TUNING)
    assert ran.status == 0
    return ran.output


def _report(ran: Ran) -> dict[str, Any]:
    assert ran.status == 0, ran.context.sent(FailedMessage)
    (output,) = ran.context.sent(OutputMessage)
    assert json.loads((ran.output / "evaluation.json").read_text(encoding="utf-8")) == output.metrics
    return dict(output.metrics)


def _failure(ran: Ran) -> FailedMessage:
    assert ran.status == PERMANENT and not ran.context.sent(OutputMessage)
    return ran.context.sent(FailedMessage)[0]


def test_an_evaluation_measures_every_row(evaluate: Callable[..., Ran]) -> None:
    ran = evaluate("sft", {"sample_prompts": 2})
    report = _report(ran)
    assert report["rows"] == 60
    (point,) = ran.context.sent(MetricsMessage)
    assert (point.step, point.values) == (0, report["metrics"])
    assert report["metrics"]["perplexity"] == pytest.approx(math.exp(report["metrics"]["eval_loss"]))
    assert len(report["samples"]) == 2
    told = [event.data["when"] for event in ran.context.sent(EventMessage) if event.name == "sample"]
    assert told == ["evaluation", "evaluation"]
    assert [phase.phase for phase in ran.context.sent(PhaseMessage)] == ["preparing", "evaluating", "saving"]
    assert ran.context.sent(ProgressMessage)[-1].percent == 99.0


def test_the_figures_are_those_of_the_training_itself(train: Runner, evaluate: Callable[..., Ran]) -> None:
    """What a training measured on its held-out rows at the end, an evaluation of its adapter on them finds again."""
    params = {**TUNING, "eval_fraction": 0.3}
    trained = train("sft", params=params)
    last = trained.values("eval_loss")[max(trained.values("eval_loss"))]
    rows = _held_out(trained, params)
    report = _report(
        evaluate(
            "sft",
            {"max_length": 64},
            model_dir=str(trained.output),
            base_dir=str(trained.context.spec.model_dir),
            dataset_path=str(rows),
            dataset_sha256="2" * 64,
        )
    )
    assert report["metrics"]["eval_loss"] == pytest.approx(last, rel=1e-4)


def _held_out(ran: Ran, params: dict[str, Any]) -> Path:
    from worker.trainer.rows import RowFile, split_rows

    rows = RowFile(Path(str(ran.context.spec.dataset_path)))
    held = split_rows(rows, params["eval_fraction"], 42).held_out
    target = ran.work / "held.jsonl"
    target.write_bytes(b"".join(rows.line(int(row)) + b"\n" for row in held))
    return target


def test_tuning_is_seen_in_the_figures(evaluate: Callable[..., Ran], adapter: Path, inputs: Any) -> None:
    before = _report(evaluate("sft", {"max_length": 64}))["metrics"]
    after = _report(evaluate("sft", {"max_length": 64}, model_dir=str(adapter), base_dir=str(inputs.llama)))["metrics"]
    assert after["eval_loss"] < before["eval_loss"] - 0.1


def test_only_the_first_rows(evaluate: Callable[..., Ran]) -> None:
    assert _report(evaluate("sft", {"max_rows": 7}))["rows"] == 7
    assert _report(evaluate("masked-lm", {"max_rows": 7}))["rows"] == 7


def test_a_classifier_is_measured_by_its_own_classes(
    train: Runner, evaluate: Callable[..., Ran], tmp_path: Path
) -> None:
    made = train("text-classification", params={"epochs": 4, "learning_rate": 5e-3})
    report = _report(evaluate("text-classification", model_dir=str(made.output)))
    assert report["metrics"]["eval_accuracy"] > 0.5 and "eval_macro_f1" in report["metrics"]
    one_class = [row for row in labelled_rows(40) if row["label"] == "animal"]
    alone = {"dataset_path": str(write_rows(tmp_path / "one.jsonl", one_class)), "dataset_sha256": "3" * 64}
    assert _report(evaluate("text-classification", model_dir=str(made.output), **alone))["rows"] == len(one_class)
    strange = [{**row, "label": "mineral"} for row in one_class]
    other = {"dataset_path": str(write_rows(tmp_path / "other.jsonl", strange)), "dataset_sha256": "4" * 64}
    failure = _failure(evaluate("text-classification", model_dir=str(made.output), **other))
    assert (failure.code, "mineral" in failure.message) == ("unknown_label", True)
    assert _failure(evaluate("text-classification")).code == "unknown_label", "an encoder has no classes"


def test_nothing_to_measure_is_told(evaluate: Callable[..., Ran], tmp_path: Path) -> None:
    long = [{"question": "red " * 200, "answer": "red"} for _ in range(3)]
    rows = write_rows(tmp_path / "long.jsonl", long)
    assert _failure(evaluate("sft", {"max_length": 16}, dataset_path=str(rows), dataset_sha256="5" * 64)).code == (
        "nothing_to_measure"
    )


@pytest.mark.parametrize(("control", "outcome"), [("pause", "paused"), ("drain", "drained"), ("stop", "finished")])
def test_an_evaluation_ends_when_it_is_told_to(
    train: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, control: str, outcome: str
) -> None:
    monkeypatch.setattr(evaluation, "_CHUNK_ITEMS", 4)

    def interrupt(context: MemoryContext, message: TrainerMessage) -> None:
        if isinstance(message, ProgressMessage) and 0 < message.percent < 50:
            context.controls.append(control)  # type: ignore[arg-type]

    monkeypatch.setattr("worker.trainer.pulse._LISTEN_SECONDS", 0.0)
    ran = train("sft", kind=Kind.EVALUATE, bare={}, on_message=interrupt)
    assert ran.status == 0
    assert getattr(ran.context.messages[-1], "outcome", None) == outcome
    estimates = [message.eta_seconds for message in ran.context.sent(ProgressMessage) if message.percent > 0]
    assert estimates and all(estimate is not None for estimate in estimates)


def _export(adapter: Path, base: Path, tmp_path: Path) -> Ran:
    work = tmp_path / "export"
    work.mkdir()
    spec = RunSpec(
        job_id="job", generation=1, kind=Kind.EXPORT, recipe="export", params={}, model_dir=str(adapter),
        base_dir=str(base), work_dir=str(work), cache_dir=str(tmp_path / "cache"), threads=1,
        facts={"model": "tuned", "model_version": 1, "base_model": "llama", "base_model_version": 1,
               "output_model": "whole"},
    )  # fmt: skip
    context = MemoryContext(spec)
    return Ran(execute(context), context, work)


def test_an_export_computes_what_the_adapter_on_its_base_does(adapter: Path, inputs: Any, tmp_path: Path) -> None:
    from peft import PeftModel

    ran = _export(adapter, inputs.llama, tmp_path)
    assert ran.status == 0, ran.context.sent(FailedMessage)
    (output,) = ran.context.sent(OutputMessage)
    assert output.metrics["difference"] < 1e-3
    paths = {file.path for file in output.files}
    assert {"config.json", "model.safetensors", "tokenizer.json", "README.md"} <= paths
    assert not any(path.startswith("adapter") for path in paths)
    base = AutoModelForCausalLM.from_pretrained(inputs.llama)
    ids = AutoTokenizer.from_pretrained(ran.output)("one two three", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        plain = base(ids).logits
        tuned = PeftModel.from_pretrained(base, adapter)(ids).logits
        whole = AutoModelForCausalLM.from_pretrained(ran.output)(ids).logits
    assert torch.allclose(whole, tuned, atol=1e-4) and not torch.allclose(whole, plain, atol=1e-2)
    text = "".join(path.read_text(encoding="utf-8") for path in ran.output.glob("*.json"))
    assert str(inputs.llama) not in text and str(adapter) not in text


def test_an_export_in_half_precision_reads_back_exactly(adapter: Path, inputs: Any, tmp_path: Path) -> None:
    """What is written is what was compared: positions are computed in float32, whatever the weights are stored in."""
    half = tmp_path / "half"
    AutoModelForCausalLM.from_pretrained(inputs.llama, dtype=torch.bfloat16).save_pretrained(half)
    AutoTokenizer.from_pretrained(inputs.llama).save_pretrained(half)
    ran = _export(adapter, half, tmp_path)
    assert ran.status == 0, ran.context.sent(FailedMessage)
    assert ran.context.sent(OutputMessage)[0].metrics["difference"] == 0.0
    assert AutoModelForCausalLM.from_pretrained(ran.output, dtype="auto").dtype == torch.bfloat16


def test_an_export_that_reads_back_otherwise_is_not_handed_over(
    adapter: Path, inputs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from worker.kinds import export

    written = export._write_merged

    def damage(base: Path, adapter: Path, folder: Path, *rest: Any) -> None:
        written(base, adapter, folder, *rest)
        tensors = load_file(folder / "model.safetensors")
        name = next(name for name in tensors if "down_proj" in name)
        tensors[name] = tensors[name].flip(0).contiguous() * 100
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    monkeypatch.setattr(export, "_write_merged", damage)
    assert _failure(_export(adapter, inputs.llama, tmp_path)).code == "bad_export"


def _import(tmp_path: Path, number: int, **params: str) -> Ran:
    work = tmp_path / f"import{number}"
    work.mkdir()
    spec = RunSpec(
        job_id="job", generation=number, kind=Kind.IMPORT, recipe="import",
        params={"source": "chatterbot", "language": "persian", **params}, work_dir=str(work), cache_dir=str(tmp_path),
    )  # fmt: skip
    context = MemoryContext(spec)
    return Ran(execute(context), context, work)


def test_an_import_gives_the_same_bytes_each_time(tmp_path: Path) -> None:
    outputs = [_import(tmp_path, number).context.sent(OutputMessage)[0] for number in (1, 2)]
    assert outputs[0].files == outputs[1].files and len(outputs[0].files) == 1
    assert outputs[0].metrics["rows"] > 2000


def test_an_absent_language_is_told(tmp_path: Path) -> None:
    failure = _failure(_import(tmp_path, 1, language="klingon"))
    assert (failure.code, "klingon" in failure.message) == ("corpus_missing", True)
