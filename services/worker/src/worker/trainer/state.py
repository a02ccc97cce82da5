"""What a run knows about itself besides weights: all of it is JSON, and all of it is in a checkpoint."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Point(BaseModel):
    """Metrics at an optimizer step."""

    model_config = ConfigDict(extra="forbid")

    step: int
    epoch: float
    values: dict[str, float]


class RunState(BaseModel):
    """`step` counts finished optimizer steps: it is the sampler's cursor and the schedule's. `budget` is in tokens per
    pass. `history` has every metric so far. `evaluated` is the last step at which the held-out rows were measured;
    `before` and `latest` are the first and last such measures. `seconds` of training, over all attempts.
    `sampler_sha256` chains the items of every step so far: equal for two runs that saw the same rows in one order."""

    model_config = ConfigDict(extra="forbid")

    step: int = 0
    budget: int
    tokens: int = 0
    sampler_sha256: str = ""
    history: list[Point] = []
    evaluated: int | None = None
    sampled: bool = False
    before: dict[str, float] = {}
    latest: dict[str, float] = {}
    seconds: float = 0.0
    evaluation_seconds: float = 0.0
