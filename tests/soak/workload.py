"""What the campaign trains: a few distinct configurations of tiny models, submitted over and over."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from transformers.utils.logging import disable_progress_bar

from kargah import Client
from tests.soak.options import Options
from worker.testing.tiny_models import labelled_rows, question_rows, tiny_bert, tiny_llama, write_rows

_ROWS = 400
_CHECKPOINT_STEPS = 8
_RETRY_SECONDS = 0.3
_COMMON: Mapping[str, Any] = {
    "advanced": True,
    "precision": "fp32",
    "epochs": 20,
    "batch_size": 4,
    "learning_rate": 2e-3,
    "checkpoint_steps": _CHECKPOINT_STEPS,
    "eval_fraction": 0.05,
    "eval_rows": 8,
    "eval_at_start": False,
    "sample_prompts": 0,
}


@dataclass(frozen=True)
class Training:
    """A configuration by name; `params` are changes to the common ones."""

    name: str
    model: str
    dataset: str
    recipe: str
    params: Mapping[str, Any]

    def config(self, steps: int) -> dict[str, Any]:
        """As `POST /api/train/jobs` takes it."""
        return {
            **_COMMON,
            **self.params,
            "recipe": self.recipe,
            "baseModel": self.model,
            "dataset": self.dataset,
            "outputModel": f"soak-{self.name}",
            "max_steps": steps,
        }


TRAININGS: Sequence[Training] = (
    Training("lora-dropout", "tiny-llama", "questions", "sft", {"lora_dropout": 0.3, "lr_schedule": "cosine"}),
    Training("full", "tiny-llama", "questions", "sft", {"method": "full"}),
    Training("full-dropout", "llama-dropout", "questions", "sft", {"method": "full", "max_tokens_per_batch": 96}),
    Training("classes", "tiny-bert", "labels", "text-classification", {}),
    Training("masked", "tiny-bert", "questions", "masked-lm", {}),
    Training("lora", "tiny-llama", "questions", "sft", {"lora_r": 4}),
    Training("accumulated", "tiny-llama", "questions", "sft", {"method": "full", "gradient_accumulation": 3}),
    Training(
        "lora-accumulated-dropout",
        "llama-dropout",
        "questions",
        "sft",
        {"lora_dropout": 0.2, "gradient_accumulation": 2, "weight_decay": 0.1, "seed": 7},
    ),
)


def install_inputs(url: str, folder: Path) -> None:
    """The models and data sets of all trainings, through the platform's own doors."""
    disable_progress_bar()
    folder.mkdir()
    with Client(url) as client:
        client.models.install_folder(tiny_llama(folder / "llama"), "tiny-llama")
        client.models.install_folder(tiny_llama(folder / "dropout", attention_dropout=0.2), "llama-dropout")
        client.models.install_folder(tiny_bert(folder / "bert"), "tiny-bert")
        client.datasets.upload(write_rows(folder / "questions.jsonl", question_rows(_ROWS)), name="questions")
        client.datasets.upload(write_rows(folder / "labels.jsonl", labelled_rows(_ROWS)), name="labels")


def install_llama(url: str, folder: Path, name: str, **changes: Any) -> None:
    """One more model, with `changes` in its configuration."""
    with Client(url) as client:
        client.models.install_folder(tiny_llama(folder, **changes), name)


@dataclass
class Submitter:
    """Submits through any gateway until one has acknowledged; `accepted` are job ids with their trainings."""

    gateways: Sequence[str]
    options: Options
    accepted: dict[str, Training] = field(default_factory=dict)
    retries: int = 0
    _numbers: Any = field(default_factory=lambda: count(1))

    def submit(self, training: Training) -> str:
        """The job's id, once a gateway has acknowledged it. Raises RuntimeError for a refusal."""
        number = next(self._numbers)
        body = {"name": f"{training.name} {number}", "config": training.config(self.options.steps)}
        key = f"soak-{self.options.seed}-{number}"
        turn = number
        while (answer := self._ask(self.gateways[turn % len(self.gateways)], body, key)) is None:
            turn += 1
            self.retries += 1
            time.sleep(_RETRY_SECONDS)
        job_id: str = answer["id"]
        self.accepted[job_id] = training
        return job_id

    @staticmethod
    def _ask(gateway: str, body: dict[str, Any], key: str) -> dict[str, Any] | None:
        """The job, None when the gateway cannot answer now. Raises RuntimeError when it refuses."""
        try:
            url = f"{gateway}/api/train/jobs"
            answer = httpx.post(url, json=body, headers={"idempotency-key": key}, timeout=20.0, trust_env=False)
        except httpx.TransportError:
            return None
        if answer.status_code >= 500:
            return None
        if answer.status_code >= 400:
            raise RuntimeError(f"the gateway refused a campaign's job: {answer.text}")
        job: dict[str, Any] = answer.json()
        return job


class Supply(threading.Thread):
    """Keeps so many jobs open that no worker ever waits: `open_jobs` tells how many of those accepted are not done."""

    def __init__(self, submitter: Submitter, trainings: Sequence[Training], open_jobs: Callable[[], int]) -> None:
        super().__init__(name="supply", daemon=True)
        self._submitter = submitter
        self._trainings = trainings
        self._open_jobs = open_jobs
        self._wanted = submitter.options.workers + 1
        self._rng = random.Random(submitter.options.seed + 1)
        self._stopped = threading.Event()
        self.error: Exception | None = None

    def stop(self) -> None:
        """No more from now on; returns when the last one has been answered."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Until `stop`."""
        try:
            while not self._stopped.is_set():
                if self._open_jobs() >= self._wanted:
                    self._stopped.wait(0.2)
                else:
                    self._submitter.submit(self._rng.choice(self._trainings))
        except RuntimeError as error:  # a refusal: told by the ledger
            self.error = error
