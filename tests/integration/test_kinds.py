"""Evaluations, exports and imports by the agent and the trainer that users get: one engine for all long work."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.contracts.jobs import JobConfig, JobView, ModelRef
from kargah.domain.job_state import Status
from kargah.jobstore import control_repository
from worker.agent.child_env import zygote_env
from worker.testing.agent_bench import AT_ONCE, AgentBench, agent_bench
from worker.testing.processes import ENTRY, command, poll
from worker.testing.tiny_models import question_rows, tiny_llama
from worker.zygote.entry import PRELOAD, TRAINER

# peft asks transformers in a way that it will not always answer.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
_LONG_SECONDS = 120.0


@pytest.fixture
def bench(database_url_for: Callable[[str], str], object_store: MinioStore, tmp_path: Path) -> Iterator[AgentBench]:
    """With the real trainer, started cold."""
    with agent_bench(database_url_for("gateway"), object_store, tmp_path, os.environ) as bench:
        bench.zygote, bench.entry = None, TRAINER
        yield bench


@pytest.fixture
def tiny(bench: AgentBench) -> ModelRef:
    return bench.peers.add_model("tiny", _files(tiny_llama(bench.folder / "tiny")))


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _evaluation(bench: AgentBench, model: ModelRef, rows: int, **params: Any) -> str:
    dataset = bench.peers.add_dataset("rows", list(question_rows(rows)), "question_answer")
    config = JobConfig(recipe="sft", base_model=model, dataset=dataset, params={"max_rows": None, **params})
    return bench.submit_config("evaluate", config)


def _until(bench: AgentBench, job_id: str, condition: Callable[[JobView], bool], what: str) -> JobView:
    def look() -> JobView | None:
        job = bench.get(job_id)
        assert job.status is not Status.ERROR or condition(job), job.error
        return job if condition(job) else None

    return poll(look, what, _LONG_SECONDS)


def _ended(bench: AgentBench, job_id: str) -> JobView:
    ends = {Status.COMPLETED, Status.ERROR, Status.CANCELLED}
    return _until(bench, job_id, lambda job: job.status in ends, "the end")


def _kill_trainer() -> None:
    """As the kernel would for want of memory: the one process that the zygote has forked."""
    (zygote,) = [child for child in psutil.Process().children() if "worker.zygote.main" in child.cmdline()]
    (trainer,) = zygote.children()
    os.kill(trainer.pid, signal.SIGKILL)


@pytest.mark.campaign
def test_an_evaluation_outlives_a_kill_and_a_pause(bench: AgentBench, tiny: ModelRef) -> None:
    """Forked three times, for each cold start would import everything anew."""
    bench.zygote = command(zygote_env(os.environ, bench.folder / "cache"), bench.folder, PRELOAD, TRAINER)
    job_id = _evaluation(bench, tiny, 3000, sample_prompts=1, max_tokens_per_batch=256)
    with bench.agent(policy=AT_ONCE):
        _until(bench, job_id, lambda job: job.status is Status.EVALUATING, "the evaluation")
        _kill_trainer()
        _until(bench, job_id, lambda job: job.attempt == 2 and job.status is Status.EVALUATING, "the second")
        bench.jobs.do(control_repository.request_pause, job_id)
        _until(bench, job_id, lambda job: job.status is Status.PAUSED, "the pause")
        bench.jobs.do(control_repository.request_resume, job_id)
        job = _ended(bench, job_id)
    assert job.status is Status.COMPLETED and job.result is not None
    assert bench.outcomes(job_id) == ["failed", "paused", "finished"]
    assert (job.result["rows"], len(job.result["samples"])) == (3000, 1)
    points = bench.jobs.metrics(job_id)
    assert {point.step for point in points} == {0}
    assert {point.name: point.value for point in points} == pytest.approx(job.result["metrics"])
    assert job.progress.eval_loss == pytest.approx(job.result["metrics"]["eval_loss"])
    assert bench.peers.committed == [], "an evaluation makes no model"


def test_an_export_becomes_a_model_with_its_origin(bench: AgentBench, tiny: ModelRef) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(bench.folder / "tiny")
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(base, lora).save_pretrained(bench.folder / "adapter", save_embedding_layers=False)
    adapter = bench.peers.add_model("tuned", _files(bench.folder / "adapter"), base="tiny")
    config = JobConfig(recipe="export", base_model=adapter, output_model="whole", params={})
    job_id = bench.submit_config("export", config)
    with bench.agent():
        job = _ended(bench, job_id)
    assert job.status is Status.COMPLETED and job.result is not None, job.error
    (version,) = bench.peers.committed
    assert (job.result["model"], job.result["versionId"]) == ("whole", version.id)
    assert version.lineage["exported_from"] == {"name": "tuned", "version": 1, "version_id": adapter.version_id}
    assert (version.lineage["base_model"], version.lineage["parent_version_id"]) == ("tiny", adapter.version_id)
    paths = {file.path for file in version.files}
    assert {"model.safetensors", "config.json", "tokenizer.json", "README.md"} <= paths
    assert "adapter_config.json" not in paths


def _import(bench: AgentBench, **params: str) -> str:
    params = {"source": "chatterbot", "language": "persian", **params}
    return bench.submit_config("import", JobConfig(recipe="import", output_dataset="talk", params=params))


def test_a_repeated_import_makes_no_second_version(bench: AgentBench) -> None:
    """As when an agent is gone after it sent the rows and before the job store heard of it: they are sent again."""
    first = _import(bench)
    with bench.agent():
        once = _ended(bench, first)
    again = _import(bench)
    with bench.agent(name="second"):
        twice = _ended(bench, again)
    assert once.status is twice.status is Status.COMPLETED, (once.error, twice.error)
    assert once.result == twice.result
    assert once.result is not None and (once.result["dataset"], once.result["version"]) == ("talk", 1)
    (version,) = bench.peers.imported
    assert version.stats.rows == once.result["rows"] > 2000


def test_rows_that_are_refused_end_the_import(bench: AgentBench) -> None:
    bench.peers.refusal = "the answer is empty"
    job_id = _import(bench)
    with bench.agent():
        job = _ended_badly(bench, job_id)
    assert job.error is not None and job.error.permanent
    assert "line 3, answer: the answer is empty" in job.error.message
    assert bench.outcomes(job_id) == ["failed"]


def test_an_absent_corpus_ends_the_import(bench: AgentBench) -> None:
    job_id = _import(bench, language="klingon")
    with bench.agent():
        job = _ended_badly(bench, job_id)
    assert job.error is not None and (job.error.code, "klingon" in job.error.message) == ("corpus_missing", True)


def _ended_badly(bench: AgentBench, job_id: str) -> JobView:
    return _until(bench, job_id, lambda job: job.status is Status.ERROR, "the error")


@pytest.mark.parametrize("kind", ["evaluate", "export", "import"])
@pytest.mark.campaign
def test_a_job_that_always_dies_ends_in_error_and_the_queue_goes_on(bench: AgentBench, kind: str) -> None:
    bench.entry = ENTRY
    poison = bench.submit(kind=kind, script="die")
    with bench.agent(policy=AT_ONCE):
        job = _ended_badly(bench, poison)
        assert bench.wait_ended(bench.submit(steps=2)).status is Status.COMPLETED
    assert bench.outcomes(poison) == ["failed"] * 3
    assert job.error is not None and "SIGKILL" in json.dumps(job.error.model_dump())
