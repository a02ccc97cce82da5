"""What a training would take: counted, where it can be; measured, where something like it has run; else not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from gateway.estimates.fit import could_take, fit_of
from gateway.estimates.memory import Work
from gateway.estimates.shape import shape_of
from gateway.jobs.recipe_book import RecipeBook
from gateway.jobs.resolve import Installed, resolve
from kargah.contracts.datasets import DatasetVersionView
from kargah.contracts.estimates import (
    EstimateRequest,
    FormerTraining,
    TimeEstimate,
    TokenCounts,
    TrainEstimate,
    WorkerFit,
)
from kargah.contracts.jobs import JobConfig, JobCreate
from kargah.contracts.models import ModelVersionView
from kargah.contracts.queue import WorkerView
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.splits import TRAIN
from kargah.jobstore import former_repository, worker_repository

_WORKERS = 20
_CHANGE_SPEED = ("method", "precision", "gradient_checkpointing", "sharding", "max_tokens_per_batch")
NoMemory = Literal["unknown_size", "unknown_shape", "no_worker"]


class Described(Installed, Protocol):
    """What `gateway.catalogue.Catalogue` knows, files of models included."""

    def model_config(self, version: ModelVersionView) -> Mapping[str, Any] | None: ...


class EstimateService:
    """Answers from the catalogue, the job store and what workers tell; nothing is kept."""

    def __init__(self, engine: Engine, installed: Described) -> None:
        self._engine = engine
        self._installed = installed
        self._recipes = RecipeBook(engine)

    def estimate(self, request: EstimateRequest) -> TrainEstimate:
        """Raises Invalid for what a training would be refused for, Unavailable."""
        create = JobCreate(name="estimate", config=request.config)
        config = resolve(create, self._recipes.current(), self._installed)
        rows = self._train_rows(config)
        per_epoch, steps = _steps(config.params, rows)
        share = _gone_through(config.params, rows, steps)
        former, workers = self._facts(config)
        work, fits, no_memory = self._memory(config, request.counts, workers)
        tokens = _of_all(share, request.counts, "tokens")
        time = _time(tokens, former)
        return TrainEstimate(
            recipe=config.recipe,
            parameters=work.parameters if work is not None else None,
            trained_parameters=_exact(work),
            train_rows=rows,
            steps_per_epoch=per_epoch,
            steps=steps,
            tokens=tokens,
            trained_tokens=_of_all(share, request.counts, "trained_tokens"),
            fits=fits,
            no_memory=no_memory,
            former=former,
            time=time,
            no_time=None if time is not None else "no_counts" if tokens is None else "no_former_training",
        )

    def _train_rows(self, config: JobConfig) -> int:
        """About so many: which rows are held out, their content decides."""
        assert config.dataset is not None  # a training has one
        version = self._installed.dataset(config.dataset.name, config.dataset.version)
        if version is None:
            return 0
        return _of_split(version) or max(1, round(version.stats.rows * (1 - _fraction(config.params))))

    def _facts(self, config: JobConfig) -> tuple[list[FormerTraining], Sequence[WorkerView]]:
        assert config.base_model is not None  # a training has one
        same = {name: config.params[name] for name in _CHANGE_SPEED if name in config.params}
        with UnitOfWork(self._engine) as tx:
            former = former_repository.former_trainings(
                tx.connection, config.base_model.name, config.recipe, config.devices, same
            )
            return former, worker_repository.list_workers(tx.connection)

    def _memory(
        self, config: JobConfig, counts: TokenCounts | None, workers: Sequence[WorkerView]
    ) -> tuple[Work | None, list[WorkerFit], NoMemory | None]:
        work = self._work(config, counts)
        if isinstance(work, str):
            return None, [], work
        able = [worker for worker in workers if could_take(worker, config.devices)][:_WORKERS]
        fits = [fit_of(work, worker, config.devices) for worker in able]
        return work, fits, None if fits else "no_worker"

    def _work(self, config: JobConfig, counts: TokenCounts | None) -> Work | NoMemory:
        assert config.base_model is not None  # a training has one
        location = self._installed.model(config.base_model.name, str(config.base_model.version))
        if location is None:
            return "unknown_size"
        version = (location.base or location).version
        if version.facts.parameters is None:
            return "unknown_size"
        shape = shape_of(self._installed.model_config(version) or {})
        if shape is None:
            return "unknown_shape"
        params, whole = config.params, version.facts.parameters
        trained = (whole, whole)
        if params.get("method") == "lora":
            rank = int(params.get("lora_r", 16))
            most = shape.adapter_parameters(rank, matrices=3)
            least = 0 if params.get("target_modules") else shape.adapter_parameters(rank, matrices=2)
            whole, trained = whole + most, (least, most)
        vocabulary = 0 if config.recipe == "text-classification" else shape.vocabulary
        return Work(whole, trained, shape, vocabulary, params, counts)


def _exact(work: Work | None) -> int | None:
    return None if work is None or work.trained[0] != work.trained[1] else work.trained[0]


def _of_split(version: DatasetVersionView) -> int | None:
    split = version.stats.splits.get(TRAIN)
    return None if split is None else split.rows


def _fraction(params: Mapping[str, Any]) -> float:
    return float(params.get("eval_fraction", 0.0))


def _steps(params: Mapping[str, Any], rows: int) -> tuple[int, int]:
    """Of an epoch, and in all (`worker.trainer.plan`)."""
    together = int(params.get("batch_size", 1)) * int(params.get("gradient_accumulation", 1))
    per_epoch = -(-rows // together)
    total = per_epoch * int(params.get("epochs", 1))
    wanted = params.get("max_steps")
    return per_epoch, total if wanted is None else min(total, int(wanted))


def _gone_through(params: Mapping[str, Any], rows: int, steps: int) -> float:
    """How many rows, some of them several times, all steps see together."""
    together = int(params.get("batch_size", 1)) * int(params.get("gradient_accumulation", 1))
    return float(min(steps * together, rows * int(params.get("epochs", 1))))


def _of_all(rows: float, counts: TokenCounts | None, name: Literal["tokens", "trained_tokens"]) -> int | None:
    return None if counts is None else round(rows * int(getattr(counts, name)) / counts.rows)


def _time(tokens: int | None, former: Sequence[FormerTraining]) -> TimeEstimate | None:
    if tokens is None or not former:
        return None
    speeds = [job.tokens_per_second for job in former]
    return TimeEstimate(least=tokens / max(speeds), most=tokens / min(speeds))
