"""A run that was interrupted and resumed is, to the bit, the run that was not."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from kargah.contracts.runs import (
    CheckpointMessage,
    DoneMessage,
    FailedMessage,
    MetricsMessage,
    OutputMessage,
    TrainerMessage,
)
from worker.testing.tiny_models import tiny_llama
from worker.trainer import pulse
from worker.trainer.context import Action
from worker.trainer.layout import Batch
from worker.trainer.learner import Learner
from worker.trainer.testing import MemoryContext, Ran, Runner

pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "lora, dropout, accumulation": (
        "sft",
        {
            "lora_dropout": 0.3,
            "gradient_accumulation": 2,
            "lr_schedule": "cosine",
            "learning_rate": 1e-2,
            "gradient_checkpointing": True,
        },
    ),
    "full, attention dropout, several passes a step": (
        "sft",
        {"method": "full", "max_tokens_per_batch": 48, "gradient_checkpointing": True},
    ),
    "masked words, dropout": ("masked-lm", {"learning_rate": 1e-3}),
    "classes, dropout, clipping off": ("text-classification", {"max_grad_norm": 0, "gradient_checkpointing": True}),
}


def weights(ran: Ran) -> str:
    (file,) = ran.output.glob("*.safetensors")
    return hashlib.sha256(file.read_bytes()).hexdigest()


def asking(action: Action, step: int) -> Any:
    """Asks for something once the metrics of a step have come."""

    def on_message(context: MemoryContext, message: TrainerMessage) -> None:
        if isinstance(message, MetricsMessage) and message.step == step and "loss" in message.values:
            context.controls.append(action)

    return on_message


@pytest.mark.parametrize(("case", "step"), list(zip(CASES, (3, 7, 10, 17), strict=True)))
def test_resuming_mid_epoch_is_exact(train: Runner, tmp_path: Path, case: str, step: int) -> None:
    recipe, params = CASES[case]
    model = {"model_dir": str(tiny_llama(tmp_path / "m", attention_dropout=0.2))} if recipe == "sft" else {}
    whole = train(recipe, params=params, **model)
    paused = train(recipe, asking("pause", step), params=params, **model)
    (checkpoint,) = [each for each in paused.context.sent(CheckpointMessage) if each.reason == "pause"]

    resumed = train(recipe, params=params, resume_dir=checkpoint.directory, **model)

    assert whole.status == paused.status == resumed.status == 0
    assert paused.context.sent(DoneMessage)[0].outcome == "paused"
    assert checkpoint.step == step
    assert max(paused.losses()) == step
    assert min(resumed.losses()) == step + 1
    assert paused.losses() | resumed.losses() == whole.losses()
    assert paused.values("grad_norm") | resumed.values("grad_norm") == whole.values("grad_norm")
    assert resumed.values("eval_loss").items() <= whole.values("eval_loss").items()
    assert weights(resumed) == weights(whole)


def test_a_pause_within_a_step_gives_the_step_up_and_is_exact(train: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of three passes is left after the second: its gradients and the random numbers it drew do not count."""
    params = {"lora_dropout": 0.3, "max_tokens_per_batch": 48, "learning_rate": 1e-2, "eval_at_start": False}
    whole = train("sft", params=params)
    real, passes = Learner.logits, [0]

    def counted(self: Learner, batch: Batch) -> Tensor:
        passes[0] += 1
        return real(self, batch)

    def on_message(context: MemoryContext, message: TrainerMessage) -> None:
        if isinstance(message, MetricsMessage) and message.step == 5:
            passes[0] = 0
        elif passes[0] == 2 and message.type == "progress" and message.step == 5:
            context.controls.append("pause")

    monkeypatch.setattr(Learner, "logits", counted)
    monkeypatch.setattr(pulse, "_LISTEN_SECONDS", 0)
    monkeypatch.setattr(pulse, "_PROGRESS_SECONDS", 0)
    paused = train("sft", on_message, params=params)
    left_after = passes[0]
    (checkpoint,) = [each for each in paused.context.sent(CheckpointMessage) if each.reason == "pause"]
    resumed = train("sft", params=params, resume_dir=checkpoint.directory)

    assert checkpoint.step == 5
    assert left_after == 2
    assert paused.losses() | resumed.losses() == whole.losses()
    assert weights(resumed) == weights(whole)


def test_history_goes_on_from_the_checkpoint(train: Runner) -> None:
    paused = train("sft", asking("drain", 5), params={"method": "full"})
    (checkpoint,) = [each for each in paused.context.sent(CheckpointMessage) if each.reason == "drain"]
    resumed = train("sft", params={"method": "full"}, resume_dir=checkpoint.directory)

    metrics = json.loads((resumed.output / "metrics.json").read_text())

    assert paused.context.sent(DoneMessage)[0].outcome == "drained"
    steps = [point["step"] for point in metrics["history"] if "loss" in point["values"]]
    assert steps == list(range(1, 29))
    assert metrics["before"] == {name: paused.values(name)[0] for name in metrics["before"]}
    assert set(metrics["before"]) == {"eval_loss", "eval_accuracy", "perplexity"}


def test_a_pause_during_evaluation_is_served_at_once_and_the_evaluation_is_done_again(train: Runner) -> None:
    def on_message(context: MemoryContext, message: TrainerMessage) -> None:
        if message.type == "phase" and message.phase == "evaluating":
            context.controls.append("pause")

    paused = train("sft", on_message, params={"eval_fraction": 0.5, "max_tokens_per_batch": 16})
    (checkpoint,) = paused.context.sent(CheckpointMessage)
    resumed = train("sft", params={"eval_fraction": 0.5}, resume_dir=checkpoint.directory)

    assert paused.context.sent(DoneMessage)[0].outcome == "paused"
    assert checkpoint.step == 0
    assert paused.values("eval_loss") == {}
    assert resumed.status == 10  # another token budget is another run
    again = train("sft", params={"eval_fraction": 0.5, "max_tokens_per_batch": 16}, resume_dir=checkpoint.directory)
    assert 0 in again.values("eval_loss")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"params": {"seed": 7}}, "parameters"),
        ({"dataset_sha256": "f" * 64}, "dataset"),
        ({"recipe": "masked-lm"}, "recipe"),
    ],
)
def test_resuming_something_else_is_refused(train: Runner, changes: dict[str, Any], named: str) -> None:
    paused = train("sft", asking("pause", 2))
    (checkpoint,) = paused.context.sent(CheckpointMessage)

    refused = train(**{"recipe": "sft", "resume_dir": checkpoint.directory} | changes)

    (failed,) = refused.context.sent(FailedMessage)
    assert refused.status == 10
    assert failed.code == "checkpoint_mismatch"
    assert named in failed.message


def test_another_base_model_is_refused(train: Runner, tmp_path: Path) -> None:
    paused = train("sft", asking("pause", 2))
    (checkpoint,) = paused.context.sent(CheckpointMessage)
    other = tiny_llama(tmp_path / "other", intermediate_size=72)

    refused = train("sft", resume_dir=checkpoint.directory, model_dir=str(other))

    assert "base model" in refused.context.sent(FailedMessage)[0].message


def test_a_torn_checkpoint_is_refused(train: Runner) -> None:
    paused = train("sft", asking("pause", 2))
    (checkpoint,) = paused.context.sent(CheckpointMessage)
    file = Path(checkpoint.directory) / "optimizer.safetensors"
    file.write_bytes(file.read_bytes()[:-100])

    refused = train("sft", resume_dir=checkpoint.directory)

    assert refused.context.sent(FailedMessage)[0].code == "bad_checkpoint"


def test_a_checkpoint_is_whole_when_it_is_handed_over(train: Runner) -> None:
    seen: list[dict[str, str]] = []

    def on_message(context: MemoryContext, message: TrainerMessage) -> None:
        if isinstance(message, CheckpointMessage):
            files = {each.path: (Path(message.directory) / each.path).read_bytes() for each in message.files}
            assert set(files) == {path.name for path in Path(message.directory).iterdir()}
            assert all(each.size_bytes == len(files[each.path]) for each in message.files)
            seen.append({each.path: each.sha256 for each in message.files})
            assert seen[-1] == {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}

    ran = train("sft", on_message, params={"checkpoint_steps": 5})

    assert [each.step for each in ran.context.sent(CheckpointMessage)] == [5, 10, 14, 15, 20, 25, 28]
    assert [each.reason for each in ran.context.sent(CheckpointMessage)].count("epoch") == 2
    assert len(seen) == 7
    assert all({"state.json", "weights.safetensors", "optimizer.safetensors"} <= set(each) for each in seen)


def test_resuming_after_the_last_step_only_saves(train: Runner) -> None:
    whole = train("sft", params={"method": "full"})
    last = whole.context.sent(CheckpointMessage)[-1]

    resumed = train("sft", params={"method": "full"}, resume_dir=last.directory)

    assert resumed.losses() == {}
    assert resumed.context.sent(OutputMessage)
    assert weights(resumed) == weights(whole)


def test_a_longer_run_goes_on_from_the_last_checkpoint_of_a_shorter(train: Runner) -> None:
    """Two epochs and then one more see the rows that three epochs see, in the same order."""
    short = train("sft", params={"epochs": 2})
    last = short.context.sent(CheckpointMessage)[-1]

    longer = train("sft", params={"epochs": 3}, resume_dir=last.directory)

    whole = train("sft", params={"epochs": 3})
    assert min(longer.losses()) == last.step + 1 and max(longer.losses()) == max(whole.losses())
    (made,), (wanted,) = longer.context.sent(OutputMessage), whole.context.sent(OutputMessage)
    assert made.metrics["sampler_sha256"] == wanted.metrics["sampler_sha256"] != ""
