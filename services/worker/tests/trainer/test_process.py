"""The trainer as a process: its pipes, what it publishes, and what it imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kargah.contracts.jobs import RecipeView
from kargah.contracts.runs import LogMessage, ProgressMessage, RunSpec, trainer_message
from worker.recipes.registry import collect, recipes
from worker.recipes.sft import Sft
from worker.trainer.checkpoint_writer import CheckpointWriter
from worker.trainer.errors import AgentGone, Interruption
from worker.trainer.pipe_context import PipeContext
from worker.trainer.pulse import Pulse
from worker.trainer.testing import MemoryContext


@pytest.fixture
def spec(tmp_path: Path) -> RunSpec:
    return RunSpec(job_id="j", generation=1, recipe="sft", params={}, work_dir=str(tmp_path), cache_dir=str(tmp_path))


def test_messages_and_controls_cross_the_pipes(spec: RunSpec) -> None:
    (read, control), (messages, write) = os.pipe(), os.pipe()
    context = PipeContext(spec, read, write)
    try:
        context.log("سلام")
        assert context.ending() is None
        os.write(control, b'{"type":"control","action":"checkpoint"}\n{"type":"control","action":"sto')
        assert context.ending() is None
        os.write(control, b'p"}\n{"type":"control","action":"pause"}\n')
        assert (context.ending(), context.checkpoint_requested(), context.checkpoint_requested()) == (
            "pause", True, False,
        )  # fmt: skip
        assert trainer_message.validate_json(os.read(messages, 4096)) == LogMessage(message="سلام")
        os.close(control)
        with pytest.raises(AgentGone):
            context.ending()
        os.close(messages)
        with pytest.raises(AgentGone):
            context.log("nobody hears this")
    finally:
        os.close(read)
        os.close(write)


def test_a_drain_outweighs_a_pause_and_a_pause_a_stop(spec: RunSpec) -> None:
    context = MemoryContext(spec)
    seen = []
    for action in ("stop", "pause", "stop", "drain", "pause"):
        context.controls.append(action)
        seen.append(context.ending())
    assert seen == ["stop", "pause", "pause", "drain", "drain"]


def test_a_pulse_interrupts_only_where_it_may(spec: RunSpec) -> None:
    context = MemoryContext(spec)
    pulse = Pulse(context, lambda: ProgressMessage(percent=0))
    context.controls.append("pause")

    pulse.listen()
    pulse.interruptible = True
    with pytest.raises(Interruption):
        pulse.listen()


def test_two_recipes_of_one_name_collide() -> None:
    with pytest.raises(ValueError, match="sft"):
        collect([Sft(), Sft(title="Another")])


def test_every_recipe_describes_a_form(tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "worker.trainer.describe"],
        capture_output=True,
        text=True,
        check=True,
    )
    views = [RecipeView.model_validate(each) for each in json.loads(printed.stdout)]

    assert [view.name for view in views] == ["sft", "text-classification", "masked-lm"]
    assert "torch" not in {line.split("|")[-1].strip() for line in printed.stderr.splitlines()}
    for view in views:
        jsonschema.Draft202012Validator.check_schema(view.params_schema)
        for name, field in view.params_schema["properties"].items():
            assert field["title"] and field["description"], name
        properties = view.params_schema["properties"]
        assert properties["epochs"]["basic"] == {"minimum": 1, "maximum": 100}
        assert properties["max_steps"]["basic"] == {"minimum": 10, "maximum": 10_000}
        assert properties["learning_rate"]["basic"] == {"minimum": 1e-5, "maximum": 1e-2}
        assert properties["batch_size"]["basic"] == {"minimum": 1, "maximum": 64}


def test_every_recipes_defaults_are_valid_and_basic() -> None:
    for recipe in recipes().values():
        schema = recipe.params.model_json_schema()
        for name, value in recipe.params().model_dump().items():
            narrow = schema["properties"][name].get("basic", {})
            jsonschema.validate(value, narrow)


def test_preloading_starts_no_thread_and_no_gpu() -> None:
    script = """
import os, sys
from worker.trainer.preload import preload
preload()
import torch
print(len(os.listdir("/proc/self/task")), torch.cuda.is_initialized())
known = set(sys.modules)
from transformers import AutoModelForCausalLM, LlamaForCausalLM, AutoTokenizer
import worker.trainer.main
print(sorted(set(sys.modules) - known))
print(sorted({"datasets", "transformers.trainer"} & set(sys.modules)))
"""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    )

    assert printed.stdout.splitlines() == ["1 False", "[]", "[]"]


def test_the_module_prints_when_there_are_no_pipes(tmp_path: Path, spec: RunSpec) -> None:
    file = tmp_path / "spec.json"
    file.write_text(spec.model_copy(update={"recipe": "nonsense"}).model_dump_json())

    ran = subprocess.run(
        [sys.executable, "-m", "worker.trainer.main", "--spec", str(file)], capture_output=True, text=True, check=False
    )

    last: Any = trainer_message.validate_json(ran.stdout.splitlines()[-1])
    assert (ran.returncode, last.type, last.code) == (10, "failed", "unknown_recipe")


def test_checkpoints_by_time_wait_for_the_agent_and_cost_little(spec: RunSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    writer = CheckpointWriter(MemoryContext(spec), seconds=60)

    assert not writer.due()
    now[0] += 61
    assert writer.due()
    writer._cost = 1.2
    assert not writer.due()
    now[0] += 60
    assert writer.due()
    writer._last = Path(spec.work_dir)
    assert not writer.due()
    assert not CheckpointWriter(MemoryContext(spec), seconds=0).due()
