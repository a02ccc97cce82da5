"""Repairs and splits are asked for here, and done by the workers: a version appears when one has got to its end."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel

from dataset_svc.changes import repository
from dataset_svc.changes.values import Change
from dataset_svc.datasets import repository as datasets
from dataset_svc.datasets.service import DatasetService
from dataset_svc.repairs.service import repair_bytes
from dataset_svc.splits.service import split_bytes
from kargah.contracts.base import Page
from kargah.contracts.changes import ChangeView
from kargah.contracts.datasets import RepairReport, RepairRequest, SplitRequest
from kargah.contracts.problem import Problem
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, NotFound

_SHORTEST = 1.0
"""Seconds before which no estimate is made."""


class Changes:
    """Safe for any number of threads and replicas. `wake` is called when there is something to do."""

    def __init__(self, engine: Engine, found: DatasetService, wake: Callable[[], None]) -> None:
        self._engine = engine
        self._datasets = found
        self._wake = wake

    def repair(self, name: str, request: RepairRequest) -> ChangeView:
        """Have rows mended. What cannot be is told at once: raises NotFound, Invalid."""
        base = self._datasets.get(name, request.version).latest
        return self._add(
            name, "repair", request.model_copy(update={"version": base.version}), repair_bytes(request, base)
        )

    def split(self, name: str, wanted: SplitRequest) -> ChangeView:
        """Have rows divided. Raises NotFound, Invalid."""
        if wanted.parts is None:
            base = self._datasets.get(name, wanted.version).latest
            parts, wanted = [base], wanted.model_copy(update={"version": base.version})
        else:
            parts = [self._datasets.get(name, number).latest for number in wanted.parts.given().values()]
        return self._add(name, "split", wanted, split_bytes(parts))

    def get(self, change_id: str) -> ChangeView:
        """How far it is. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            found = repository.get(tx.connection, change_id)
        if found is None:
            raise _unknown(change_id)
        return self._view(found)

    def newest(self, dataset: str | None, limit: int) -> Page[ChangeView]:
        """The newest, of one dataset or of all; those that ended a week ago are forgotten."""
        with UnitOfWork(self._engine) as tx:
            found = repository.newest(tx.connection, dataset, limit)
        return Page[ChangeView](items=[self._view(change) for change in found], total=len(found))

    def cancel(self, change_id: str) -> ChangeView:
        """Have nothing made of it. Raises NotFound, Conflict when it has ended."""
        with UnitOfWork(self._engine) as tx:
            cancelled = repository.cancel(tx.connection, change_id)
        view = self.get(change_id)
        if not cancelled and view.state != "cancelled":
            raise Conflict(f"the change {change_id} is {view.state} already", "a version that was made stays")
        return view

    def _add(self, name: str, kind: str, request: BaseModel, total_bytes: int) -> ChangeView:
        wanted = request.model_dump(mode="json", exclude_none=True)
        with UnitOfWork(self._engine) as tx:
            added = repository.add(tx.connection, name, kind, wanted, total_bytes)
        if added is None:
            raise NotFound(f"{name[:200]!r} was deleted in this moment", "see what is installed: kargah dataset list")
        self._wake()
        return self._view(added)

    def _view(self, change: Change) -> ChangeView:
        version = None
        if change.version_id is not None:
            with UnitOfWork(self._engine) as tx:
                version = datasets.get_version(tx.connection, change.version_id)
        report = None if change.report is None else RepairReport.model_validate(change.report | {"result": version})
        return ChangeView.model_validate(
            {
                "id": change.id,
                "dataset": change.dataset,
                "kind": change.kind,
                "state": change.state,
                "done_bytes": min(change.done_bytes, change.total_bytes),
                "total_bytes": change.total_bytes,
                "eta_seconds": _left(change),
                "version": version,
                "is_new": change.is_new,
                "report": report,
                "problem": None if change.problem is None else Problem.model_validate(change.problem),
                "created_at": change.created_at,
                "ended_at": change.ended_at,
            }
        )


def _left(change: Change) -> float | None:
    """Seconds, at the pace of this try so far."""
    seconds = change.working_seconds
    if change.state != "working" or not change.done_bytes or seconds is None or seconds < _SHORTEST:
        return None
    return round(seconds * max(0, change.total_bytes - change.done_bytes) / change.done_bytes, 1)


def _unknown(change_id: str) -> NotFound:
    return NotFound(f"there is no change {change_id[:100]!r}", "see them: GET /api/datasets/changes")
