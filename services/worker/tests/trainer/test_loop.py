"""What a run tells, and how it serves controls and failures."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from kargah.contracts.runs import (
    CheckpointMessage,
    DoneMessage,
    EventMessage,
    FailedMessage,
    LogMessage,
    MetricsMessage,
    OutputMessage,
    PhaseMessage,
    ProgressMessage,
    TrainerMessage,
)
from worker.trainer.context import Action
from worker.trainer.layout import Batch
from worker.trainer.learner import Learner
from worker.trainer.testing import MemoryContext, Runner

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
FULL = {"method": "full", "learning_rate": 5e-3}
CLASSES = {"learning_rate": 5e-3, "weight_decay": 0, "lr_schedule": "constant", "seed": 1, "sample_prompts": 1}


def at_step(step: int, action: Action) -> Any:
    def on_message(context: MemoryContext, message: TrainerMessage) -> None:
        if isinstance(message, MetricsMessage) and message.step == step and "loss" in message.values:
            context.controls.append(action)

    return on_message


def test_a_run_learns_and_says_how(train: Runner) -> None:
    ran = train("sft", params=FULL | {"epochs": 6, "sample_prompts": 2})

    losses, held = ran.losses(), ran.values("eval_loss")
    assert ran.status == 0
    assert sorted(losses) == list(range(1, 85))
    assert losses[84] < 0.6 * losses[1]
    assert sorted(held) == [0, 14, 28, 42, 56, 70, 84]
    assert held[84] < 0.6 * held[0]
    for name in ("accuracy", "grad_norm", "learning_rate", "tokens_per_second"):
        assert sorted(ran.values(name)) == sorted(losses), name
    assert [each.data["when"] for each in ran.context.sent(EventMessage)] == ["before"] * 2 + ["after"] * 2
    phases = [each.phase for each in ran.context.sent(PhaseMessage)]
    assert phases[:3] == ["preparing", "evaluating", "training"]
    assert phases[-1] == "saving"
    assert isinstance(ran.context.messages[-1], DoneMessage)


def test_progress_ends_at_100_and_has_an_estimate(train: Runner) -> None:
    ran = train("sft", params=FULL)

    progress = ran.context.sent(ProgressMessage)
    percents = [each.percent for each in progress if each.step is not None]
    assert percents == sorted(percents)
    assert progress[-1].percent == 100
    assert all(each.total_steps == 28 and each.epochs == 2 for each in progress if each.step)
    assert any(each.eta_seconds for each in progress)


def test_the_output_folder_loads_and_is_documented(train: Runner) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    ran = train("sft", params=FULL, facts={"base_model": "llama-tiny", "dataset": "questions"})

    (output,) = ran.context.sent(OutputMessage)
    paths = {each.path for each in output.files}
    assert {"config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "metrics.json"} <= paths
    assert {"README.md", "loss.svg", "chat_template.jinja"} <= paths
    assert AutoModelForCausalLM.from_pretrained(ran.output).config.use_cache is True
    assert AutoTokenizer.from_pretrained(ran.output).chat_template
    card = (ran.output / "README.md").read_text()
    assert "llama-tiny" in card and "| eval_loss |" in card and "questions" in card
    metrics = json.loads((ran.output / "metrics.json").read_text())
    assert metrics["after"]["eval_loss"] == output.metrics["after"]["eval_loss"]
    texts = [path.read_text() for path in ran.output.iterdir() if path.suffix != ".safetensors"]
    assert not any(str(ran.work.parent) in text or str(ran.context.spec.model_dir) in text for text in texts)


def test_an_adapter_loads_on_its_base_and_can_be_trained_on(train: Runner, inputs: Any) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    first = train("sft", params={"learning_rate": 1e-2})
    config = json.loads((first.output / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "llama"
    assert (first.output / "generation_config.json").is_file()
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(inputs.llama), first.output)
    assert any("lora" in name for name in model.state_dict())

    second = train("sft", params={"learning_rate": 1e-2}, model_dir=str(first.output), base_dir=str(inputs.llama))
    merged = train("sft", params=FULL, model_dir=str(first.output), base_dir=str(inputs.llama))

    assert second.values("eval_loss")[0] == pytest.approx(first.values("eval_loss")[28], rel=1e-5)
    assert merged.values("eval_loss")[0] == pytest.approx(first.values("eval_loss")[28], rel=1e-4)
    assert (second.output / "adapter_model.safetensors").is_file()
    assert (merged.output / "model.safetensors").is_file()


def test_stop_ends_early_and_keeps_the_model(train: Runner) -> None:
    ran = train("sft", at_step(5, "stop"), params=FULL)

    assert max(ran.losses()) == 5
    assert ran.context.sent(DoneMessage)[0].outcome == "stopped"
    assert [each.reason for each in ran.context.sent(CheckpointMessage)] == ["stop"]
    assert 5 in ran.values("eval_loss")
    assert ran.context.sent(OutputMessage)


def test_a_checkpoint_on_request_changes_nothing_else(train: Runner) -> None:
    plain = train("sft", params=FULL)
    asked = train("sft", at_step(5, "checkpoint"), params=FULL)

    requested = [each for each in asked.context.sent(CheckpointMessage) if each.reason == "requested"]
    assert [each.step for each in requested] == [5]
    assert asked.losses() == plain.losses()


def test_max_steps_is_a_cap(train: Runner) -> None:
    ran = train("sft", params=FULL | {"max_steps": 17})

    assert max(ran.losses()) == 17
    assert [(each.step, each.reason) for each in ran.context.sent(CheckpointMessage)] == [(14, "epoch"), (17, "final")]
    assert sorted(ran.values("eval_loss")) == [0, 14, 17]


def test_splitting_a_step_into_passes_changes_nothing_but_rounding(train: Runner) -> None:
    one = train("sft", params=FULL | {"epochs": 1})
    many = train("sft", params=FULL | {"epochs": 1, "max_tokens_per_batch": 32})
    accumulated = train("sft", params=FULL | {"epochs": 1, "batch_size": 2, "gradient_accumulation": 2})

    for step, loss in one.losses().items():
        assert many.losses()[step] == pytest.approx(loss, rel=1e-3)
        assert accumulated.losses()[step] == loss


def test_a_loss_that_is_not_a_number_is_named(train: Runner) -> None:
    ran = train("sft", params=FULL | {"learning_rate": 10, "max_grad_norm": 0, "epochs": 50, "warmup_ratio": 0})

    (failed,) = ran.context.sent(FailedMessage)
    assert ran.status == 10
    assert (failed.code, failed.permanent) == ("nan_loss", True)
    assert "step" in failed.message and failed.hint is not None
    assert ran.context.sent(ProgressMessage)[-1].step == max(ran.losses())


def test_running_out_of_memory_halves_the_pass_and_repeats_the_step(
    train: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = FULL | {"epochs": 1, "lora_dropout": 0.0}
    fits = train("sft", params=params)
    real = Learner.logits

    def small_device(self: Learner, batch: Batch) -> torch.Tensor:
        if batch.tokens > 70:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, batch)

    monkeypatch.setattr(Learner, "logits", small_device)
    ran = train("sft", params=params)

    halved = [each for each in ran.context.sent(EventMessage) if each.name == "micro_batch_halved"]
    assert ran.status == 0
    assert halved and all(each.data["tokens"] < each.data["tokens_before"] for each in halved)
    assert sorted(ran.losses()) == sorted(fits.losses())
    for step, loss in fits.losses().items():
        assert ran.losses()[step] == pytest.approx(loss, rel=1e-3)


def test_a_row_that_never_fits_is_a_clear_failure(train: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(self: Learner, batch: Batch) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Learner, "logits", no_memory)
    ran = train("sft", params=FULL)

    (failed,) = ran.context.sent(FailedMessage)
    assert (failed.code, failed.permanent, ran.status) == ("out_of_memory", True, 10)


def test_rows_without_room_for_an_answer_are_a_clear_failure(train: Runner) -> None:
    ran = train("sft", params=FULL | {"max_length": 8})

    assert ran.context.sent(FailedMessage)[0].code == "nothing_to_learn"


@pytest.mark.parametrize("params", [FULL, {"learning_rate": 5e-3, "lora_dropout": 0.1}])
def test_bf16_trains_without_padding_and_close_to_fp32(
    train: Runner, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any]
) -> None:
    monkeypatch.setattr("worker.trainer.device.has_bf16", lambda: True)
    params = params | {"epochs": 1, "lora_dropout": 0}
    half, exact = (train("sft", params=params | {"precision": name}) for name in ("bf16", "fp32"))

    assert half.status == 0
    assert any("in bf16: padding-free" in each.message for each in half.context.sent(LogMessage))
    assert half.losses() != exact.losses()
    for step, loss in exact.losses().items():
        assert half.losses()[step] == pytest.approx(loss, rel=0.03)


def test_masked_words_are_learnt(train: Runner) -> None:
    ran = train("masked-lm", params={"learning_rate": 5e-3, "epochs": 8})

    assert ran.status == 0
    assert ran.values("eval_loss")[112] < 0.8 * ran.values("eval_loss")[0]


def test_classes_are_learnt_and_their_names_are_saved(train: Runner) -> None:
    from transformers import AutoModelForSequenceClassification

    ran = train("text-classification", params=CLASSES | {"epochs": 12})

    last = max(ran.losses())
    assert ran.values("eval_accuracy")[last] > 0.8
    assert ran.values("eval_macro_f1")[last] > ran.values("eval_macro_f1")[0]
    model = AutoModelForSequenceClassification.from_pretrained(ran.output)
    assert model.config.label2id == {"animal": 0, "colour": 1, "number": 2}
    again = train("text-classification", params=CLASSES | {"epochs": 1}, model_dir=str(ran.output))
    assert again.values("eval_accuracy")[0] == ran.values("eval_accuracy")[last]


def test_a_decoder_can_classify(train: Runner, inputs: Any) -> None:
    ran = train("text-classification", params={"learning_rate": 5e-3, "epochs": 6}, model_dir=str(inputs.llama))

    assert ran.status == 0
    assert ran.values("eval_loss")[84] < 0.7 * ran.values("eval_loss")[0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"recipe": "nonsense"}, "unknown_recipe"),
        ({"params": {"epochs": 0}}, "bad_params"),
        ({"params": {"no_such": 1}}, "bad_params"),
        ({"params": {"learning_rate": float("nan")}}, "bad_params"),
        ({"model_dir": "/nonexistent"}, "bad_model"),
        ({"dataset_path": "/nonexistent"}, "empty_dataset"),
        ({"dataset_format": "nonsense"}, "invalid"),
        ({"params": {"target_modules": ["nonsense"]}}, "bad_params"),
        ({"params": {"precision": "bf16"}}, "unsupported_precision"),
        ({"model_dir": None}, "bad_spec"),
    ],
)
def test_bad_inputs_are_permanent_failures_that_say_why(
    train: Runner, changes: dict[str, Any], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.trainer.device.has_bf16", lambda: False)
    ran = train(**{"recipe": "sft"} | changes)

    (failed,) = ran.context.sent(FailedMessage)
    assert (failed.code, failed.permanent, ran.status) == (code, True, 10)
    assert failed.message


def test_the_log_is_for_people(train: Runner) -> None:
    lines = [each.message for each in train("sft", params=FULL).context.sent(LogMessage)]

    assert any(line.startswith("60 rows: ") for line in lines)
    assert any(line.startswith("Step 28/28") for line in lines)
