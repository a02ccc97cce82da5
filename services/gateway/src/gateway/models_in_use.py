"""A model that a job still works on is not deleted: the registry knows of versions, and the gateway of jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from flask import Request

from gateway.catalogue import Catalogue
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict
from kargah.domain.names import VERSION_PATTERN, is_name
from kargah.jobstore import query_repository

_MODEL = re.compile(r"/api/models/(?P<name>[^/]+(/[^/]+)?)")
_VERSION = re.compile(VERSION_PATTERN)
_HUB = frozenset({("DELETE", "/hub/api/repos/delete"), ("POST", "/hub/api/repos/move")})
_BELOW = re.compile(r".+/aliases/[^/]+")


class ModelsInUse:
    """Judges requests on their way to the registry."""

    def __init__(self, engine: Engine, catalogue: Catalogue) -> None:
        self._engine = engine
        self._catalogue = catalogue

    def judge(self, request: Request, body: bytes) -> None:
        """Raises Conflict for the deletion of a model, or of a version, that a job which has not ended works on.

        The same by the Hub's protocol, and another name there: jobs ask for their model by its name.

        A job that is queued in the same moment may still lose its model: it then ends with an error that says so.
        """
        if (request.method, request.path) in _HUB:
            name = _hub_name(body)
            return self._refuse(name, None) if name is not None else None
        match = _MODEL.fullmatch(request.path) if request.method == "DELETE" else None
        if match is None or _BELOW.fullmatch(request.path):
            return
        wanted = request.args.get("version")
        location = self._catalogue.model(match["name"], wanted) if wanted and _VERSION.fullmatch(wanted) else None
        if wanted is not None and location is None:
            return  # the registry says what is wrong with it
        self._refuse(match["name"], location.version.version if location else None)

    def _refuse(self, name: str, version: int | None) -> None:
        with UnitOfWork(self._engine) as tx:
            live = query_repository.live_jobs_with_model(tx.connection, name, version)
        refuse_in_use(name if version is None else f"{name}@{version}", live)


def refuse_in_use(what: str, live: Sequence[tuple[str, str]]) -> None:
    """Raises Conflict that names the `live` jobs, if there are any."""
    if live:
        named = ", ".join(f"{job_id} ({job_name})" for job_id, job_name in live)
        raise Conflict(
            f"{what} is what these jobs work on: {named}.", hint="Wait until they have ended, or cancel them."
        )


def _hub_name(body: bytes) -> str | None:
    """The model that goes or gets another name; None for a dataset, and for what the registry will refuse."""
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("type") not in (None, "model"):
        return None
    owner, name = found.get("organization"), found.get("name")
    named = found.get("fromRepo") or (f"{owner}/{name}" if owner else name)
    return named if isinstance(named, str) and is_name(named) else None
