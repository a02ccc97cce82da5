"""Real trainings on a bench: a tiny Llama that learns in seconds, by the trainer that users get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kargah.contracts.jobs import DatasetRef, JobConfig, ModelRef
from kargah.domain.ids import new_id
from kargah.jobstore import submission_repository
from kargah.jobstore.values import NewJob
from worker.testing.agent_bench import AgentBench
from worker.testing.tiny_models import question_rows, tiny_llama

_PARAMS = {"method": "full", "batch_size": 4, "sample_prompts": 0, "eval_fraction": 0.1, "learning_rate": 5e-3}


@dataclass(frozen=True)
class RealJobs:
    """Submits trainings of one small model on one small dataset."""

    bench: AgentBench
    model: ModelRef
    dataset: DatasetRef
    files: Mapping[str, bytes]

    def with_file(self, name: str, data: bytes) -> RealJobs:
        """The same with one more file in the model."""
        files = {**self.files, name: data}
        return replace(self, model=self.bench.peers.add_model("larger", files), files=files)

    def submit(self, devices: int = 1, **params: Any) -> str:
        """Queue a full fine-tuning; its id."""
        config = JobConfig(
            recipe="sft",
            base_model=self.model,
            dataset=self.dataset,
            output_model="tuned",
            params=_PARAMS | params,
            devices=devices,
        )
        return self.bench.jobs.do(submission_repository.insert_job, NewJob(new_id("job"), "train", "a job", config))[
            0
        ].id

    def weights_sha256(self, job_id: str) -> str:
        """Of the model that a completed job made."""
        (made,) = [one for one in self.bench.peers.committed if one.lineage["job_id"] == job_id]
        (weights,) = [file for file in made.files if file.path.endswith(".safetensors")]
        return weights.sha256


def real_jobs(bench: AgentBench, rows: int = 60, **model: Any) -> RealJobs:
    """Make the model (`model` goes into its config) and the dataset of `rows` conversations."""
    folder = tiny_llama(bench.folder / "tiny-llama", **model)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in _files(folder)}
    chats = [
        {"messages": [_said("user", row["question"]), _said("assistant", row["answer"])]} for row in question_rows(rows)
    ]
    return RealJobs(bench, bench.peers.add_model("tiny", files), bench.peers.add_dataset("chats", chats), files)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}
