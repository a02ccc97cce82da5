"""A job's events from a number on, as they happen, until the job has ended."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

from gateway.events.hub import EventHub
from kargah.contracts.jobs import EventView, LogLine
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Unavailable
from kargah.domain.job_state import TERMINAL
from kargah.jobstore import query_repository
from kargah.web.sse import ServerEvent, Source

_WAIT_SECONDS = 0.5  # how soon a client that has left, or the end of this process, is noticed
_WAITS_PER_LOOK = 4  # without a wake-up, look for news every two seconds
_AT_ONCE = 500
_OLD_LINES = 100
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class _Position:
    """Numbers of the last event and the last log line that the client has."""

    event: int
    line: int


@dataclass(frozen=True, slots=True)
class _News:
    """What came after a position. `over`: the job has ended and there is no more."""

    events: Sequence[EventView] = ()
    lines: Sequence[LogLine] = ()
    over: bool = False


class EventStreams:
    """Opens streams for the routes."""

    def __init__(self, engine: Engine, hub: EventHub) -> None:
        self._engine = engine
        self._hub = hub

    def page(self, job_id: str, after: int, limit: int, kind: str | None) -> list[EventView]:
        """Stored events with numbers above `after`. Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            return query_repository.events_after(tx.connection, job_id, after, limit)

    def open(self, job_id: str, after: int, after_log: int | None, kind: str | None) -> Source:
        """Replay events beyond `after`, then follow. Log lines beyond `after_log`; None: the last hundred and on.

        Raises NotFound, and Unavailable when too many follow, before the answer has begun.
        """
        with UnitOfWork(self._engine) as tx:
            query_repository.get_job(tx.connection, job_id, kind=kind)
            if after_log is None:
                after_log = max(0, query_repository.log_tail(tx.connection, job_id, 1).total - _OLD_LINES)
        source = self._follow(job_id, _Position(after, after_log))
        next(source)  # takes its place among the followers now; from here on closing it gives the place back
        return source

    def _follow(self, job_id: str, position: _Position) -> Source:
        with self._hub.follow(job_id) as wake:
            yield None
            for waits in count():
                if waits % _WAITS_PER_LOOK and not wake.is_set():
                    wake.wait(_WAIT_SECONDS)
                    yield None
                    continue
                wake.clear()
                while (news := self._news(job_id, position)).events or news.lines:
                    yield from map(_event, news.events)
                    yield from map(_log, news.lines)
                    position = _after(position, news)
                if news.over:
                    return

    def _news(self, job_id: str, position: _Position) -> _News:
        """The status is read first: what a terminal status came with is then there to be read.

        A database that is away for a while ends no stream: there is just nothing new.
        """
        try:
            with UnitOfWork(self._engine) as tx:
                over = query_repository.job_status(tx.connection, job_id) in TERMINAL
                events = query_repository.events_after(tx.connection, job_id, position.event, _AT_ONCE)
                lines = query_repository.log_lines_after(tx.connection, job_id, position.line, _AT_ONCE)
        except Unavailable:
            return _News()
        return _News(events, lines, over)


def _after(position: _Position, news: _News) -> _Position:
    if news.events:
        position = replace(position, event=news.events[-1].number)
    if news.lines:
        position = replace(position, line=news.lines[-1].number)
    return position


def _event(event: EventView) -> ServerEvent:
    """The type and the number go where SSE has places for them; `data` is the event's own data."""
    return ServerEvent(_NOT_A_NAME.sub("_", event.type) or "event", event.data, event.number)


def _log(line: LogLine) -> ServerEvent:
    return ServerEvent("log", line)
