"""Several processes that share a run: they learn what one process learns, and none outlives another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from kargah.contracts.runs import (
    CheckpointMessage,
    DoneMessage,
    EventMessage,
    FailedMessage,
    MetricsMessage,
    OutputMessage,
    RunSpec,
    TrainerMessage,
    trainer_message,
)
from kargah.domain.kinds import Kind
from worker.agent.child import Start
from worker.agent.child_env import zygote_env
from worker.agent.zygote_client import Zygote
from worker.testing.processes import alive, command, poll, until
from worker.trainer.ranks.shares import shares
from worker.zygote.entry import PRELOAD, TRAINER

from .conftest import Inputs

PARAMS = {
    "method": "full",
    "precision": "fp32",
    "batch_size": 4,
    "gradient_accumulation": 2,
    "epochs": 2,
    "eval_fraction": 0.3,
    "sample_prompts": 1,
    "learning_rate": 3e-3,
    "checkpoint_seconds": 0,
    "checkpoint_steps": 4,
}


@dataclass
class Told:
    """A run as it is seen from outside: its messages so far, its exit status once it has ended."""

    control_fd: int
    messages: list[TrainerMessage] = field(default_factory=list)
    status: int | None = None

    def values(self, name: str) -> dict[int, float]:
        """One metric by step."""
        points = [each for each in self.messages if isinstance(each, MetricsMessage) and name in each.values]
        return {point.step: point.values[name] for point in points}

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    @property
    def pids(self) -> list[int]:
        """Of the ranks, by rank."""
        (told,) = [event for event in self.of(EventMessage) if event.name == "ranks_started"]
        return list(told.data["pids"])

    def ask(self, action: str) -> None:
        os.write(self.control_fd, f'{{"type":"control","action":"{action}"}}\n'.encode())


DIVIDED = {"sharding": "full", "max_tokens_per_batch": 64}
"""With passes so small that the processes have different numbers of them."""

CREWS: list[tuple[int, dict[str, Any]]] = [(1, {}), (2, {}), (2, DIVIDED)]

Hear = Callable[[Told, TrainerMessage], None]
Run = Callable[..., Told]


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    folder = tmp_path_factory.mktemp("zygote")
    zygote = Zygote.start(command(zygote_env(os.environ, folder / "cache"), folder, PRELOAD, TRAINER))
    yield zygote
    zygote.close()


@pytest.fixture(scope="module")
def run(zygote: Zygote, inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a training in processes of its own, to its end; `hear` is called with each message."""
    count = iter(range(1000))

    def begin(devices: int, hear: Hear = lambda told, message: None, labelled: bool = False, **changes: Any) -> Told:
        work = tmp_path_factory.mktemp(f"ranks{next(count)}")
        spec = RunSpec(
            job_id=work.name,
            generation=1,
            recipe="text-classification" if labelled else "sft",
            params={name: value for name, value in PARAMS.items() if not labelled or name != "method"},
            model_dir=str(inputs.bert if labelled else inputs.llama),
            dataset_path=str(inputs.labelled if labelled else inputs.questions),
            dataset_format="labelled_text" if labelled else "question_answer",
            dataset_sha256=("2" if labelled else "3") * 64,
            work_dir=str(work),
            cache_dir=str(inputs.cache),
            threads=2,
            devices=devices,
        )
        spec = spec.model_copy(update={**changes, "params": spec.params | changes.get("params", {})})
        (work / "spec.json").write_text(spec.model_dump_json())
        return _listen(zygote, work, hear)

    return begin


def _listen(zygote: Zygote, work: Path, hear: Hear) -> Told:
    (control_read, control), (messages, messages_write) = os.pipe(), os.pipe()
    told = Told(control)
    child = zygote.fork(Start(work.name, work / "spec.json", work / "log", control_read, messages_write), 60)
    os.close(control_read)
    os.close(messages_write)
    try:
        with open(messages, "rb") as lines:
            for line in lines:
                told.messages.append(trainer_message.validate_json(line))
                hear(told, told.messages[-1])
        told.status = poll(child.poll, "the end of the trainer")
    finally:
        child.release()
        os.close(control)
    return told


def at_step(step: int, act: Callable[[Told], None]) -> Hear:
    """Do something once the loss of a step is known."""

    def hear(told: Told, message: TrainerMessage) -> None:
        if isinstance(message, MetricsMessage) and message.step == step and "loss" in message.values:
            act(told)

    return hear


@pytest.fixture(scope="module")
def alone(run: Run) -> Told:
    return run(1)


@pytest.fixture(scope="module")
def both(run: Run) -> Told:
    return run(2)


@pytest.fixture(scope="module")
def divided(run: Run) -> Told:
    return run(2, params=DIVIDED)


def same_curves(found: Mapping[int, float], wanted: Mapping[int, float]) -> bool:
    return found.keys() == wanted.keys() and all(abs(found[step] - wanted[step]) <= 1e-5 for step in wanted)


def weights(folder: str) -> dict[str, torch.Tensor]:
    return load_file(next(Path(folder).glob("*.safetensors")))


def same_weights(found: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> bool:
    return found.keys() == wanted.keys() and all(
        found[name].dtype == wanted[name].dtype and torch.allclose(found[name], wanted[name], atol=1e-4)
        for name in wanted
    )


def checkpoint(told: Told, step: int) -> str:
    (found,) = [each for each in told.of(CheckpointMessage) if each.step == step]
    return str(found.directory)


def test_two_processes_learn_what_one_learns(alone: Told, both: Told) -> None:
    assert alone.status == both.status == 0
    assert len(both.pids) == 2 and len(alone.values("loss")) >= 8
    for name in ("loss", "accuracy", "grad_norm", "learning_rate", "eval_loss", "eval_accuracy"):
        assert same_curves(both.values(name), alone.values(name)), name
    (one,), (two,) = alone.of(OutputMessage), both.of(OutputMessage)
    assert two.metrics["sampler_sha256"] == one.metrics["sampler_sha256"]
    assert two.metrics["tokens"] == one.metrics["tokens"]
    assert [each.outcome for each in both.of(DoneMessage)] == ["finished"]
    assert [each.step for each in both.of(CheckpointMessage)] == [each.step for each in alone.of(CheckpointMessage)]
    samples = [event.data["when"] for event in both.of(EventMessage) if event.name == "sample"]
    assert samples == ["before", "after"], "one process answers"


def test_a_divided_model_learns_what_a_whole_one_learns(alone: Told, divided: Told) -> None:
    assert divided.status == 0, divided.of(FailedMessage)
    for name in ("loss", "accuracy", "grad_norm", "learning_rate", "eval_loss", "eval_accuracy"):
        assert same_curves(divided.values(name), alone.values(name)), name
    (one,), (two,) = alone.of(OutputMessage), divided.of(OutputMessage)
    assert two.metrics["sampler_sha256"] == one.metrics["sampler_sha256"]
    assert same_weights(weights(two.directory), weights(one.directory))
    assert json.loads((Path(two.directory) / "config.json").read_text()) == json.loads(
        (Path(one.directory) / "config.json").read_text()
    )
    samples = [event.data["when"] for event in divided.of(EventMessage) if event.name == "sample"]
    assert samples == ["before", "after"], "all answer, one tells"


def test_an_adapter_on_a_divided_base_goes_on_from_one_process(run: Run) -> None:
    """The base is frozen, so only the adapter's gradients travel; its activations are made twice."""
    more = {"method": "lora", "max_steps": 6, "gradient_checkpointing": True, "sample_prompts": 0}
    alone = run(1, params=DIVIDED | more)
    resumed = run(2, params=DIVIDED | more, resume_dir=checkpoint(alone, 4))
    assert resumed.status == 0 and sorted(resumed.values("loss")) == [5, 6], resumed.of(FailedMessage)
    for name in ("loss", "grad_norm", "eval_loss"):
        assert same_curves(resumed.values(name), {step: alone.values(name)[step] for step in resumed.values(name)})
    (one,), (two,) = alone.of(OutputMessage), resumed.of(OutputMessage)
    assert same_weights(weights(two.directory), weights(one.directory))
    assert sorted(each.path for each in two.files) == sorted(each.path for each in one.files)


def test_a_divided_model_whose_process_is_killed_goes_on_whole(run: Run, alone: Told) -> None:
    killed = run(2, at_step(6, lambda told: os.kill(told.pids[1], signal.SIGKILL)), params=DIVIDED)
    (failed,) = killed.of(FailedMessage)
    assert killed.status == 11 and failed.code == "rank_lost" and "Process 1" in failed.message
    until(lambda: not any(alive(pid) for pid in killed.pids), "the end of every process")
    resumed = run(1, resume_dir=checkpoint(killed, 4), params=DIVIDED)
    assert resumed.status == 0 and min(resumed.values("loss")) == 5
    for name in ("loss", "grad_norm", "eval_loss"):
        assert same_curves(killed.values(name) | resumed.values(name), alone.values(name)), name


def test_classes_are_measured_by_both_as_by_one(run: Run) -> None:
    """The F1 needs every prediction; dropout is off while measuring. Of one row a step, one rank has none."""
    params = {"max_steps": 2, "batch_size": 1, "gradient_accumulation": 1, "learning_rate": 1e-9}
    one, two, divided = (run(devices, labelled=True, params=params | more) for devices, more in CREWS)
    assert one.status == two.status == divided.status == 0
    assert len(one.values("eval_macro_f1")) == 2
    for name in ("eval_macro_f1", "eval_loss", "eval_accuracy"):
        assert same_curves(two.values(name), one.values(name)), name
        assert same_curves(divided.values(name), one.values(name)), name


def test_an_evaluation_is_shared_and_told_once(run: Run) -> None:
    one, *others = (run(devices, kind=Kind.EVALUATE, params=more) for devices, more in CREWS)
    (alone,) = one.of(OutputMessage)
    for two in others:
        assert one.status == two.status == 0
        (shared,) = two.of(OutputMessage)
        assert shared.metrics["rows"] == alone.metrics["rows"] == 60
        assert shared.metrics["metrics"] == pytest.approx(alone.metrics["metrics"], rel=1e-5)
        assert len(shared.metrics["samples"]) == len(alone.metrics["samples"]) == 1


def test_a_killed_rank_ends_the_attempt_and_the_next_ends_the_same(run: Run, alone: Told, both: Told) -> None:
    killed = run(2, at_step(6, lambda told: os.kill(told.pids[1], signal.SIGKILL)))
    (failed,) = killed.of(FailedMessage)
    assert killed.status == 11 and not failed.permanent
    assert failed.code == "rank_lost" and "Process 1" in failed.message and "SIGKILL" in failed.message
    until(lambda: not any(alive(pid) for pid in killed.pids), "the end of every process")
    resumed = run(2, resume_dir=checkpoint(killed, 4))
    assert resumed.status == 0 and min(resumed.values("loss")) == 5
    assert killed.values("loss") | resumed.values("loss") == both.values("loss"), "to the bit"
    assert resumed.values("eval_loss").items() <= both.values("eval_loss").items()


def test_a_pause_is_served_by_both_and_one_process_goes_on(run: Run, alone: Told) -> None:
    paused = run(2, at_step(3, lambda told: told.ask("pause")))
    assert paused.status == 0 and paused.of(DoneMessage)[0].outcome == "paused"
    last = max(paused.values("loss"))
    resumed = run(1, resume_dir=checkpoint(paused, last))
    assert resumed.status == 0 and last < 12
    assert same_curves(paused.values("loss") | resumed.values("loss"), alone.values("loss"))


def test_no_rank_outlives_rank_0(run: Run) -> None:
    killed = run(2, at_step(2, lambda told: os.kill(told.pids[0], signal.SIGKILL)))
    assert killed.status == -signal.SIGKILL
    until(lambda: not alive(killed.pids[1]), "the end of rank 1")


def test_numbers_that_are_none_are_told_once_and_for_good(run: Run) -> None:
    changes = {"learning_rate": 10.0, "max_grad_norm": 0, "warmup_ratio": 0, "epochs": 50, "checkpoint_steps": None}
    broken = run(2, params=changes)
    assert broken.status == 10
    assert {each.code for each in broken.of(FailedMessage)} == {"nan_loss"}


_SCRIPT = """
import sys, time
from kargah.contracts.runs import FailedMessage, RunSpec
from worker.trainer.pipe_context import PrintingContext
from worker.trainer.ranks.crew import run_ranks

def execute(context):
    if context.rank == 2:
        {ending}
    if context.rank == 1:
        {other}
    time.sleep(60)

spec = RunSpec(job_id="j", generation=1, recipe="r", params={{}}, work_dir="/", cache_dir="/", devices=3)
sys.exit(run_ranks(PrintingContext(spec), (), execute))
"""
_OUT_OF_MEMORY = 'context.send(FailedMessage(code="out_of_memory", message="too large", permanent=True)); return 10'


@pytest.mark.parametrize(
    ("ending", "other", "status", "code"),
    [
        (_OUT_OF_MEMORY, "pass", 10, "out_of_memory"),
        (_OUT_OF_MEMORY, "return 11", 10, "out_of_memory"),
        ("raise ValueError('a fault')", "pass", 11, "rank_lost"),
    ],
    ids=["while rank 0 waits for ever", "and another rank only noticed", "a fault"],
)
def test_rank_0_tells_why_another_failed(ending: str, other: str, status: int, code: str) -> None:
    script = _SCRIPT.format(ending=ending, other=other)
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    told = [trainer_message.validate_json(line) for line in ended.stdout.splitlines()]
    assert ended.returncode == status, ended.stderr
    assert isinstance(told[-1], FailedMessage) and told[-1].code == code
    assert ("a fault" in ended.stderr) == (code == "rank_lost")


def test_shares_are_even_and_whole() -> None:
    lengths = [7, 3, 9, 1, 1, 4, 5, 2]
    found = shares(lengths, 3)
    assert sorted(index for share in found for index in share) == list(range(8))
    assert {sum(lengths[index] for index in share) for share in found} <= {10, 11, 12}
    assert shares([5], 2) == [[0], []] and shares([], 2) == [[], []]
