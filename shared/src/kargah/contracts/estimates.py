"""What a training would take, on the wire: `POST /api/train/estimate`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kargah.contracts.base import Wire, WireRequest
from kargah.contracts.tokens import DatasetTokens

Verdict = Literal["fits", "tight", "does_not_fit", "unknown"]
"""`fits`: even the highest guess does. `tight`: it may have to go on with fewer tokens at a time. `does_not_fit`: not
even one row at a time does. `unknown`: the worker does not tell how much memory its device has."""


class TokenCounts(WireRequest):
    """What `POST /api/datasets/<name>/tokens` counted over `rows` rows: their tokens within the maximum length, those
    of them that carry loss, and the tokens of the longest row."""

    rows: int = Field(ge=1, le=2**53)
    tokens: int = Field(ge=0, le=2**53)
    trained_tokens: int = Field(ge=0, le=2**53)
    longest: int = Field(ge=1, le=2**31 - 1)


class EstimateRequest(WireRequest):
    """`config` as a training is submitted with; `counts` of its dataset, for what depends on how long the rows are."""

    config: dict[str, Any]
    counts: TokenCounts | None = None


class ByteRange(Wire):
    """Bytes, from what is surely needed to what is needed at most."""

    least: int
    most: int


class MemoryEstimate(Wire):
    """Bytes on each device. `activations` grow with the tokens that go through the model at a time, at most
    `tokens_at_a_time`. `required` is the least with which one row at a time goes through."""

    weights: ByteRange
    gradients: ByteRange
    moments: ByteRange
    activations: ByteRange
    program: ByteRange
    total: ByteRange
    required: int
    tokens_at_a_time: int


class WorkerFit(Wire):
    """A living worker that could take the job: how much memory it has for it (None: it does not tell), and how much of
    that the job's `processes` there would need together."""

    worker: str
    device: Literal["cpu", "gpu"]
    memory_bytes: int | None
    processes: int
    memory: MemoryEstimate
    verdict: Verdict


class FormerTraining(Wire):
    """A completed training of the same base model by the same recipe and method: what it did, and what it held."""

    job_id: str
    name: str
    worker: str | None
    tokens_per_second: float
    memory_bytes: int | None


class TimeEstimate(Wire):
    """Seconds of the training's steps, without its evaluations: at the speed of the fastest and of the slowest of the
    former trainings."""

    least: float
    most: float


class TrainEstimate(Wire):
    """What a training would take. `train_rows` are those not held out, `tokens` and `trained_tokens` of all its steps;
    None without counts. Where `fits` is empty or `time` None, `no_memory` and `no_time` say why: `unknown_size` and
    `unknown_shape` of the base model, `no_worker`; `no_counts`, `no_former_training`."""

    recipe: str
    parameters: int | None
    trained_parameters: int | None
    train_rows: int
    steps_per_epoch: int
    steps: int
    tokens: int | None
    trained_tokens: int | None
    fits: list[WorkerFit]
    no_memory: Literal["unknown_size", "unknown_shape", "no_worker"] | None
    former: list[FormerTraining]
    time: TimeEstimate | None
    no_time: Literal["no_counts", "no_former_training"] | None


def counts_of(told: DatasetTokens) -> TokenCounts | None:
    """What an estimate takes of them; None where no row was counted."""
    figures = told.figures
    if figures is None or figures.rows == 0:
        return None
    return TokenCounts(
        rows=figures.rows,
        tokens=figures.tokens - figures.cut_tokens,
        trained_tokens=figures.trained_tokens,
        longest=max(1, min(figures.lengths.max, told.length)),
    )
