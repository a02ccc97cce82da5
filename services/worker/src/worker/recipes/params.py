"""The parameters that all recipes share: each is a field of the form, so its title and description are for people.

`basic` in a field's schema is the range for those who have not asked for the advanced one; `measures` marks those that
an evaluation takes as well.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


def basic(minimum: float, maximum: float) -> dict[str, Any]:
    """JSON Schema keywords that narrow a field unless the job is an advanced one."""
    return {"basic": {"minimum": minimum, "maximum": maximum}}


def measured(**keywords: Any) -> dict[str, Any]:
    """JSON Schema keywords of a parameter that changes what is measured: an evaluation takes it as well."""
    return {"measures": True, **keywords}


class CommonParams(BaseModel):
    """Length of the run, optimizer, evaluation, checkpoints. A step sees `batch_size * gradient_accumulation` rows."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=(), frozen=True, allow_inf_nan=False)

    epochs: int = Field(
        default=3,
        ge=1,
        le=10_000,
        title="Epochs",
        description="How many times the training data is gone through.",
        json_schema_extra=basic(1, 100),
    )
    max_steps: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        title="Maximum steps",
        description="Ends the training after this many optimizer steps even if epochs are left. Empty: by epochs.",
        json_schema_extra=basic(10, 10_000),
    )
    learning_rate: float = Field(
        default=5e-5,
        gt=0,
        le=10,
        title="Learning rate",
        description="The highest size of an update. Too high diverges, too low learns nothing.",
        json_schema_extra=basic(1e-5, 1e-2),
    )
    batch_size: int = Field(
        default=8,
        ge=1,
        le=65_536,
        title="Batch size",
        description="Rows per batch. Memory does not depend on it: a batch is split as the device needs.",
        json_schema_extra=basic(1, 64),
    )
    gradient_accumulation: int = Field(
        default=1,
        ge=1,
        le=65_536,
        title="Gradient accumulation",
        description="Batches per optimizer step.",
        json_schema_extra=basic(1, 64),
    )
    lr_schedule: Literal["linear", "cosine", "constant"] = Field(
        default="linear",
        title="Learning rate schedule",
        description="How the learning rate falls after the warm-up.",
    )
    warmup_ratio: float = Field(
        default=0.03,
        ge=0,
        le=1,
        title="Warm-up",
        description="Share of the steps in which the learning rate rises from zero.",
        json_schema_extra=basic(0, 0.5),
    )
    max_grad_norm: float = Field(
        default=1.0,
        ge=0,
        le=1e6,
        title="Gradient clipping",
        description="Gradients longer than this are shortened to it; 0 switches it off.",
        json_schema_extra=basic(0, 100),
    )
    weight_decay: float = Field(
        default=0.01,
        ge=0,
        le=1,
        title="Weight decay",
        description="Pulls weight matrices towards zero, against overfitting. Biases and norms are left alone.",
        json_schema_extra=basic(0, 0.5),
    )
    max_length: int = Field(
        default=512,
        ge=8,
        le=1_048_576,
        title="Maximum length",
        description="Tokens per row; what is longer is cut. Bounded by what the model can read.",
        json_schema_extra=measured(**basic(16, 8192)),
    )
    max_tokens_per_batch: int | None = Field(
        default=None,
        ge=16,
        le=16_777_216,
        title="Tokens at a time",
        description="Tokens that go through the model at once. Empty: by the device's memory. Changes speed only.",
        json_schema_extra=measured(),
    )
    eval_fraction: float = Field(
        default=0.1,
        ge=0,
        le=0.9,
        title="Held-out share",
        description="Share of the rows kept out of training, to measure what was learnt; chosen by content and seed. "
        "A dataset version with splits of its own brings these instead.",
        json_schema_extra=basic(0, 0.5),
    )
    eval_rows: int = Field(
        default=1000,
        ge=1,
        le=10_000_000,
        title="Rows per evaluation",
        description="At most this many held-out rows are measured each time.",
    )
    eval_at_start: bool = Field(
        default=True,
        title="Evaluate before training",
        description="Measures the untouched model too, so that before and after can be compared.",
    )
    sample_prompts: int = Field(
        default=3,
        ge=0,
        le=100,
        title="Sample answers",
        description="How many held-out rows the model answers before and after training, to be read by people.",
        json_schema_extra=measured(**basic(0, 20)),
    )
    deterministic: bool = Field(
        default=False,
        title="Deterministic kernels",
        description="On a GPU: an interrupted run gives the same numbers as an uninterrupted one to the last bit, more "
        "slowly. On a CPU it always does.",
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto",
        title="Precision",
        description="auto: bf16 where the device computes in it, else fp32.",
        json_schema_extra=measured(),
    )
    gradient_checkpointing: bool = Field(
        default=False,
        title="Gradient checkpointing",
        description="Less memory for about a third more time.",
    )
    sharding: Literal["none", "full"] = Field(
        default="none",
        title="Sharding",
        description="full divides weights, gradients and moments among the job's devices, so that a model may be too "
        "large for one of them. Changes memory and speed only; one device has all of it.",
        json_schema_extra=measured(),
    )
    checkpoint_seconds: float = Field(
        default=60,
        ge=0,
        le=86_400,
        title="Seconds between checkpoints",
        description="At least this long between checkpoints by time; longer when saving takes long. 0: none by time.",
    )
    checkpoint_steps: int | None = Field(
        default=None,
        ge=1,
        le=100_000_000,
        title="Steps between checkpoints",
        description="A checkpoint every so many steps as well. Empty: by time and by epoch.",
    )
    seed: int = Field(
        default=42,
        ge=0,
        le=2**63 - 1,
        title="Seed",
        description="The same seed, data and worker give the same run.",
        json_schema_extra=measured(),
    )
