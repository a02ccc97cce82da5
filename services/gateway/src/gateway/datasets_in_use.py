"""A dataset that a job still works on is not deleted: the dataset service knows versions, and the gateway jobs."""

from __future__ import annotations

import re

from flask import Request

from gateway.models_in_use import refuse_in_use
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.jobstore import query_repository

_DATASET = re.compile(r"/api/datasets/(?P<name>[^/]+(/[^/]+)?)")
_NUMBER = re.compile(r"[0-9]{1,18}")


class DatasetsInUse:
    """Judges requests on their way to the dataset service."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def judge(self, request: Request, _body: bytes) -> None:
        """Raises Conflict for the deletion of a dataset, or of a version, that a job which has not ended works on.

        A job that is queued in the same moment may still lose its rows: it then ends with an error that says so.
        """
        match = _DATASET.fullmatch(request.path) if request.method == "DELETE" else None
        if match is None:
            return
        wanted, name = request.args.get("version"), match["name"]
        if wanted is not None and not _NUMBER.fullmatch(wanted):
            return  # the dataset service says what is wrong with it
        version = int(wanted) if wanted is not None else None
        with UnitOfWork(self._engine) as tx:
            live = query_repository.live_jobs_with_dataset(tx.connection, name, version)
        refuse_in_use(name if version is None else f"{name}@{version}", live)
