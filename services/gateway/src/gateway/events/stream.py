"""A job's events from a number on, as they happen, until the job has ended."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response

from gateway.events.followers import Caller, Position
from gateway.events.hub import EventHub
from kargah.contracts.jobs import EventView
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.jobstore import query_repository
from kargah.web.outlet import Outlet
from kargah.web.sse import sse_response

_OLD_LINES = 100


class EventStreams:
    """Opens streams for the routes."""

    def __init__(self, engine: Engine, hub: EventHub) -> None:
        self._engine = engine
        self._hub = hub

    def page(
        self, job_id: str, after: int, limit: int, kind: str | None, types: Sequence[str] | None = None
    ) -> list[EventView]:
        """Stored events with numbers above `after`, of these types or of all. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            return query_repository.events_after(tx.connection, job_id, after, limit, types)

    def newest(self, job_id: str, kind: str | None) -> int:
        """The number of the last stored event, 0 when there is none. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            return query_repository.tails(tx.connection, [job_id])[job_id].events

    def open(self, job_id: str, after: int, after_log: int | None, kind: str | None, caller: Caller) -> Outlet:
        """Replay events beyond `after`, then follow. Log lines beyond `after_log`; None: the last hundred and on.

        Raises NotFound, Unavailable when too many follow, and TooMany when too many do for this caller.
        """
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            if after_log is None:
                after_log = max(0, query_repository.log_tail(tx.connection, job_id, 1).total - _OLD_LINES)
        return self._hub.follow(job_id, Position(after, after_log), caller)

    def answer(self, outlet: Outlet) -> Response:
        """What the client gets: all that comes out."""
        return sse_response(self._hub.pusher, outlet)
