"""Tiny real models, and a run of the trainer within this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from kargah.contracts.runs import RunSpec, TrainerMessage
from worker.testing.tiny_models import labelled_rows, question_rows, tiny_bert, tiny_llama, write_rows
from worker.trainer.main import execute
from worker.trainer.testing import MemoryContext, Ran, Runner

# On a GPU the tests of exactness need its deterministic kernels; on a CPU all are.
_QUICK = {
    "batch_size": 4,
    "epochs": 2,
    "sample_prompts": 0,
    "checkpoint_seconds": 0,
    "deterministic": torch.cuda.is_available(),
}


@dataclass(frozen=True)
class Inputs:
    """Folders and files that every test may read and none may change."""

    llama: Path
    bert: Path
    questions: Path
    labelled: Path
    cache: Path


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = tmp_path_factory.mktemp("inputs")
    return Inputs(
        llama=tiny_llama(folder / "llama"),
        bert=tiny_bert(folder / "bert"),
        questions=write_rows(folder / "questions.jsonl", question_rows(60)),
        labelled=write_rows(folder / "labelled.jsonl", labelled_rows(60)),
        cache=folder / "cache",
    )


@pytest.fixture
def train(inputs: Inputs, tmp_path: Path) -> Runner:
    """Runs a job to its end; keyword arguments of RunSpec, and `on_message` to talk back. `bare` are all the params."""

    def run(
        recipe: str,
        on_message: Callable[[MemoryContext, TrainerMessage], None] | None = None,
        params: dict[str, Any] | None = None,
        bare: dict[str, Any] | None = None,
        **changes: Any,
    ) -> Ran:
        work = tmp_path / f"work{len(list(tmp_path.iterdir()))}"
        work.mkdir()
        labelled = recipe == "text-classification"
        spec = RunSpec(
            **{
                "job_id": "job",
                "generation": 1,
                "recipe": recipe,
                "params": _QUICK | (params or {}) if bare is None else bare,
                "model_dir": str(inputs.llama if recipe == "sft" else inputs.bert),
                "dataset_path": str(inputs.labelled if labelled else inputs.questions),
                "dataset_format": "labelled_text" if labelled else "question_answer",
                "dataset_sha256": "0" * 64 if labelled else "1" * 64,
                "work_dir": str(work),
                "cache_dir": str(inputs.cache),
                "threads": 1,
            }
            | changes
        )
        context = MemoryContext(spec, on_message)
        return Ran(execute(context), context, work)

    return run


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
