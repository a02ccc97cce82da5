"""What the workers do with a change: all of its rows in one go, and one transaction at the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dataset_svc.background.hold import Hold
from dataset_svc.background.workers import LEASE, Workers
from dataset_svc.changes import repository
from dataset_svc.changes.values import Change
from dataset_svc.repairs.service import Repairs
from dataset_svc.splits.service import SplitService
from kargah.contracts.datasets import DatasetVersionView, RepairReport, RepairRequest, SplitRequest
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)


def changers(
    engine: Engine, repairs: Repairs, splits: SplitService, at_once: int = 1, lease: timedelta = LEASE
) -> Workers[Change]:
    """Workers that make `at_once` changes at a time."""
    return Workers(engine, Changing(engine, repairs, splits), at_once, lease)


class Changing:
    """A change that is interrupted begins anew: it reads rows that stay, and what it has stored so far is nobody's."""

    def __init__(self, engine: Engine, repairs: Repairs, splits: SplitService) -> None:
        self._engine = engine
        self._repairs = repairs
        self._splits = splits

    def claim(self, conn: Connection, lease: timedelta) -> Change | None:
        """The oldest that nobody holds."""
        return repository.claim(conn, lease)

    def renew(self, conn: Connection, task: Change, lease: timedelta, done_bytes: int) -> bool:
        """Hold it longer and tell how far it is."""
        return repository.renew(conn, task, lease, done_bytes)

    def let_go(self, conn: Connection, task: Change, pause: timedelta) -> bool:
        """Let it be claimed again after `pause`."""
        return repository.let_go(conn, task, pause)

    def fail(self, conn: Connection, task: Change, problem: dict[str, Any]) -> bool:
        """It cannot be done, and why."""
        return repository.fail(conn, task, problem)

    def do(self, task: Change, hold: Hold) -> None:
        """The version appears in the transaction in which the change is done."""
        if task.kind == "repair":
            self._repair(task, hold)
        else:
            self._split(task, hold)
        _log.info("a change is done", change=task.id, kind=task.kind, dataset=task.dataset)

    def clear(self, task: Change) -> None:
        """Repairs and splits clear up behind themselves."""

    def _repair(self, task: Change, hold: Hold) -> None:
        def record(tx: UnitOfWork, report: RepairReport, is_new: bool) -> None:
            version_id = None if report.result is None else report.result.id
            told = report.model_dump(mode="json", exclude={"result"})
            if not repository.finish(tx.connection, task, version_id, is_new, told):
                raise hold.taken()

        self._repairs.run(task.dataset, RepairRequest.model_validate(task.request), hold.on_bytes, record)

    def _split(self, task: Change, hold: Hold) -> None:
        def record(tx: UnitOfWork, version: DatasetVersionView, is_new: bool) -> None:
            if not repository.finish(tx.connection, task, version.id, is_new, None):
                raise hold.taken()

        self._splits.split(task.dataset, SplitRequest.model_validate(task.request), hold.on_bytes, record)
