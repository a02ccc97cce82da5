"""Repairs and splits on the wire: what is asked of a version, and how far it is."""

from __future__ import annotations

from typing import Literal

from kargah.contracts.base import Timestamp, Wire
from kargah.contracts.datasets import DatasetVersionView, RepairReport
from kargah.contracts.problem import Problem

ChangeState = Literal["waiting", "working", "done", "failed", "cancelled"]


class ChangeView(Wire):
    """`working`: `done_bytes` of `total_bytes` are gone through, about `eta_seconds` are left. `done`: the `version`
    that holds the rows now (`is_new` unless it was there already), and the `report` of a repair; a dry run has no
    version. `failed`: the `problem`. `cancelled`: nothing was made."""

    id: str
    dataset: str
    kind: Literal["repair", "split"]
    state: ChangeState
    done_bytes: int
    total_bytes: int
    eta_seconds: float | None = None
    version: DatasetVersionView | None = None
    is_new: bool | None = None
    report: RepairReport | None = None
    problem: Problem | None = None
    created_at: Timestamp
    ended_at: Timestamp | None = None
