"""What the platform costs: submit to first step beside a cold script, and step rate beside the bare recipe.

Runs a whole embedded stack in a temporary folder. The model and rows are those of `training_throughput`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.report import Row
from benchmarks.training_throughput import prepare
from kargah import Client
from kargah.contracts.jobs import JobView
from kargah.domain.job_state import TERMINAL, Status
from kargah.embedded.ports import free_port
from kargah.embedded.stack import Stack

_ROWS = 400
_WARM_RUNS = 5
_PAIRS = 3
_STEPS = 50
_PARAMS = {"method": "full", "epochs": 2, "batch_size": 8, "learning_rate": 1e-3, "eval_fraction": 0, "seed": 1}


def rows() -> list[Row]:
    """Submit to first step, and the platform's tax."""
    with tempfile.TemporaryDirectory(prefix="kargah-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        prepare(folder, _ROWS)
        stack = Stack(folder / "data", free_port())
        stack.start()
        try:
            with Client(stack.url) as client:
                client.models.install_folder(folder / "model", "bench")
                client.datasets.upload(folder / "train.jsonl", name="bench", format="text")
                return [*_first_step(client, folder), _tax(client, folder)]
        finally:
            stack.stop()


def _first_step(client: Client, folder: Path) -> list[Row]:
    """The first job finds no cached input; the later ones do, as every second job on a model does."""
    ours = [_seconds_to_first_step(client) for _ in range(1 + _WARM_RUNS)]
    script = [_cold_script(folder) for _ in range(_PAIRS)]
    theirs = statistics.median(script)
    warm = statistics.median(ours[1:])
    return [
        Row(
            "first step",
            "submit to first step, first job",
            "s",
            ours[0],
            "cold HF Trainer script",
            theirs,
            theirs / ours[0],
        ),
        Row(
            "first step", "submit to first step, warm", "s", warm, "cold HF Trainer script", theirs, theirs / warm, 5.0
        ),
    ]


def _seconds_to_first_step(client: Client) -> float:
    began = time.perf_counter()
    job = _submit(client, max_steps=10)
    while not client.jobs.get(job.id).progress.step:
        time.sleep(0.02)
    seconds = time.perf_counter() - began
    _wait(client, job)
    return seconds


def _cold_script(folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "benchmarks.hf_first_step", str(folder)], check=True, capture_output=True, text=True
    )
    return time.perf_counter() - began


def _tax(client: Client, folder: Path) -> Row:
    """Seconds of wall time for the same steps, in pairs one after the other: the platform's and the bare recipe's."""
    ratios, ours, theirs = [], [], []
    for number in range(_PAIRS):
        ours.append(_platform_steps_per_second(client))
        theirs.append(_bare_steps_per_second(folder, number))
        ratios.append(ours[-1] / theirs[-1])
    return Row(
        "platform's tax",
        f"the same {_STEPS} steps as a job",
        "steps/s",
        statistics.median(ours),
        "bare recipe, no agent",
        statistics.median(theirs),
        statistics.median(ratios),
        0.97,
        f"ratios of {_PAIRS} pairs: " + ", ".join(f"{ratio:.2f}" for ratio in ratios),
    )


def _platform_steps_per_second(client: Client) -> float:
    job = _wait(client, _submit(client, max_steps=_STEPS))
    points = client.jobs.metrics(job.id, name="tokens_per_second").points
    return _rate([point.step for point in points], [point.at.timestamp() for point in points])


def _bare_steps_per_second(folder: Path, number: int) -> float:
    work = folder / f"bare-{number}"
    (work / "run").mkdir(parents=True)
    spec = {
        "job_id": "bare",
        "generation": 1,
        "recipe": "sft",
        "params": _PARAMS | {"max_steps": _STEPS},
        "model_dir": str(folder / "model"),
        "dataset_path": str(folder / "train.jsonl"),
        "dataset_format": "text",
        "work_dir": str(work / "run"),
        "cache_dir": str(work / "cache"),
        "threads": os.cpu_count() or 1,
    }
    (work / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "worker.trainer.main", "--spec", str(work / "spec.json")]
    steps: list[int] = []
    times: list[float] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as trainer:
        assert trainer.stdout is not None
        for line in trainer.stdout:
            message: dict[str, Any] = json.loads(line)
            if message["type"] == "metrics" and "tokens_per_second" in message["values"]:
                steps.append(message["step"])
                times.append(time.time())
    if trainer.returncode != 0:
        raise RuntimeError(f"the bare recipe exited {trainer.returncode}")
    return _rate(steps, times)


def _rate(steps: list[int], times: list[float]) -> float:
    return (steps[-1] - steps[0]) / (times[-1] - times[0])


def _submit(client: Client, *, max_steps: int) -> JobView:
    config = {"baseModel": "bench", "dataset": "bench", "outputModel": "bench-out", "max_steps": max_steps, **_PARAMS}
    return client.jobs.submit("bench", config)


def _wait(client: Client, job: JobView) -> JobView:
    while (job := client.jobs.get(job.id)).status not in TERMINAL:
        time.sleep(0.2)
    if job.status is not Status.COMPLETED:
        raise RuntimeError(f"{job.id} ended in {job.status}: {job.error}")
    return job
