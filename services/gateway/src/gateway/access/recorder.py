"""Writes the record: one row for each request that changes something, and for each that was refused."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

from flask import Flask, Response, g, request

from gateway.access import audit_repository
from gateway.access.addresses import Addresses
from kargah.access.principal import current_principal
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Unavailable
from kargah.domain.scope import EVERY, project_scope
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = frozenset({401, 403})
# Reading, by methods that usually change something.
_ASKING = ("/v1/chat/completions", "/api/datasets/<path:rest>/tokens", "/api/auth/refresh")
_SWEEP_EVERY = 1000
_PATH_CHARACTERS = 500


class Recorder:
    """`days`: how long rows are kept."""

    def __init__(self, engine: Engine, addresses: Addresses, days: int) -> None:
        self._engine = engine
        self._addresses = addresses
        self._age = timedelta(days=days)
        self._numbers = count(1)

    def watch(self, app: Flask) -> None:
        """Record from now on what `app` answers."""

        @app.after_request
        def record(response: Response) -> Response:
            if _matters(response):
                self._add(response)
            return response

    def _add(self, response: Response) -> None:
        """A database that is away does not undo what was done: the log has the row then."""
        entry = self._entry(response)
        try:
            with project_scope(EVERY), UnitOfWork(self._engine) as tx:
                audit_repository.add(tx.connection, entry)
                if next(self._numbers) % _SWEEP_EVERY == 0:
                    audit_repository.remove_old(tx.connection, self._age)
        except Unavailable:
            _log.error("not recorded", **entry)

    def _entry(self, response: Response) -> dict[str, object]:
        """The path without its query: that may hold a signature."""
        who = current_principal()
        rule = request.url_rule
        return {
            "subject": who.subject,
            "name": who.name[:_PATH_CHARACTERS],
            "project": who.project,
            "method": request.method[:20],
            "operation": rule.endpoint.partition(".")[2] or rule.rule if rule is not None else "unmatched",
            "path": _storable(request.path),
            "status": response.status_code,
            "request_id": g.request_id,
            "address": self._addresses.of(request),
        }


def _matters(response: Response) -> bool:
    """Requests over a limit are not: whoever sends too many would fill the record."""
    if response.status_code in _REFUSED:
        return True
    if request.method in _READING or response.status_code == 429:
        return False
    return request.url_rule is not None and request.url_rule.rule not in _ASKING


def _storable(path: str) -> str:
    return path.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")[:_PATH_CHARACTERS]
