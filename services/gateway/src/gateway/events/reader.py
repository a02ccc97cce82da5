"""Reads what is new for all followers: each page once, however many wait for it.

Replay and live are one thing here. Followers who have the same are sent the same next page, a client that is behind is
a group of its own until it has caught up, and nobody can miss or get twice what happens in between. A client that takes
nothing gets nothing more read. Who is no more than a page behind goes first: a hundred long replays, a little of which
is read between, delay nobody who follows live.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gateway.events.followers import Follower, Followers, Position
from kargah.contracts.jobs import EventView, LogLine
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Unavailable
from kargah.domain.job_state import TERMINAL
from kargah.jobstore import query_repository
from kargah.jobstore.values import Tail
from kargah.telemetry.logging import get_logger
from kargah.web.outlet import Piece
from kargah.web.sse import ServerEvent, frame

_log = get_logger(__name__)
_LOOK_SECONDS = 2.0  # without a wake-up: one may have been lost
_AT_ONCE = 200
_REPLAY_SECONDS = 0.02  # before those who follow live have their turn again
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class _Page:
    """What comes next after a position, and the position after it. `over`: the job has ended and this is the rest."""

    piece: Piece | None
    position: Position
    over: bool
    full: bool


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A group that is far behind."""

    job_id: str
    tail: Tail
    position: Position
    group: Sequence[Follower]

    @property
    def served_at(self) -> float:
        return min(one.served_at for one in self.group)


class Reader:
    """A thread. `look` tells it that there may be something new of a job, or somebody new."""

    def __init__(self, engine: Engine, followers: Followers) -> None:
        self._engine = engine
        self._followers = followers
        self._lock = threading.Lock()
        self._news: set[str] = set()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join()

    def look(self, job_ids: Iterable[str]) -> None:
        """Safe to call from any thread; does not wait."""
        with self._lock:
            self._news.update(job_ids)
        self._wake.set()

    def _run(self) -> None:
        all_at = time.monotonic()
        while not self._stopped.is_set():
            self._wake.wait(max(0.0, all_at + _LOOK_SECONDS - time.monotonic()))
            self._wake.clear()
            if time.monotonic() >= all_at + _LOOK_SECONDS:
                self.look(self._followers.jobs())
                all_at = time.monotonic()
            try:
                self._once()
            except Unavailable:
                self._stopped.wait(_LOOK_SECONDS / 2)  # ends no stream: there is just nothing new
            except Exception as error:  # the thread's edge: the next look tries again
                _log.error("reading events failed", error=str(error), exc_info=error)

    def _once(self) -> None:
        """A page for everybody who follows live, then pages for those far behind, as many as there is time for."""
        with self._lock:
            job_ids, self._news = self._followers.followed(self._news), set()
        if job_ids:
            with UnitOfWork(self._engine) as tx:
                tails = query_repository.tails(tx.connection, job_ids)
        behind: list[_Waiting] = []
        for job_id in job_ids:
            tail = tails.get(job_id)
            for position, group in self._followers.ready(job_id).items():
                if tail is not None and _is_far(position, tail):
                    behind.append(_Waiting(job_id, tail, position, group))
                else:
                    self._try_to_serve(job_id, tail, position, group)
        self._replay(behind)

    def _replay(self, behind: list[_Waiting]) -> None:
        """Those first who have waited longest."""
        behind.sort(key=lambda one: one.served_at)
        until = time.monotonic() + _REPLAY_SECONDS
        for number, one in enumerate(behind, 1):
            self._try_to_serve(one.job_id, one.tail, one.position, one.group)
            now = time.monotonic()
            for follower in one.group:
                follower.served_at = now
            if now >= until and number < len(behind):
                return self.look(left.job_id for left in behind[number:])

    def _try_to_serve(self, job_id: str, tail: Tail | None, position: Position, group: Sequence[Follower]) -> None:
        try:
            self._serve(job_id, tail, position, group)
        except Unavailable:
            raise
        except Exception as error:  # a stream's edge: what cannot be told of one job must not silence the others
            _log.error("a stream broke off", job_id=job_id, error=str(error), exc_info=error)
            _end(group)

    def _serve(self, job_id: str, tail: Tail | None, position: Position, group: Sequence[Follower]) -> None:
        if tail is None:  # deleted
            return _end(group)
        page = self._page(job_id, position, tail)
        for one in group:
            one.position = page.position
            if page.piece is not None:
                one.outlet.send(page.piece)
        if page.over:
            _end(group)
        elif page.full:
            self.look([job_id])

    def _page(self, job_id: str, position: Position, tail: Tail) -> _Page:
        """`tail` was read before: what a terminal status came with is then there to be read."""
        events, lines = self._news_of(job_id, position, tail)
        frames = [*map(_event, events), *map(_log_line, lines)]
        after = Position(_last(events, position.event, tail.events), _last(lines, position.line, tail.lines))
        full = len(events) == _AT_ONCE or len(lines) == _AT_ONCE
        over = tail.status in TERMINAL and not full and after.event >= tail.events and after.line >= tail.lines
        return _Page(Piece(b"".join(frames)) if frames else None, after, over, full)

    def _news_of(self, job_id: str, position: Position, tail: Tail) -> tuple[Sequence[EventView], Sequence[LogLine]]:
        more_events, more_lines = tail.events > position.event, tail.lines > position.line
        if not (more_events or more_lines):
            return (), ()
        with UnitOfWork(self._engine) as tx:
            conn = tx.connection
            events = query_repository.events_after(conn, job_id, position.event, _AT_ONCE) if more_events else ()
            lines = query_repository.log_lines_after(conn, job_id, position.line, _AT_ONCE) if more_lines else ()
        return events, lines


def _is_far(position: Position, tail: Tail) -> bool:
    return max(tail.events - position.event, tail.lines - position.line) > _AT_ONCE


def _end(group: Iterable[Follower]) -> None:
    for one in group:
        one.outlet.end()


def _last(found: Sequence[EventView] | Sequence[LogLine], known: int, there: int) -> int:
    """The number to go on from; where none is left of what was there once, all that there was."""
    return found[-1].number if found else max(known, there)


def _event(event: EventView) -> bytes:
    """The type and the number go where SSE has places for them; `data` is the event's own data."""
    return frame(ServerEvent(_NOT_A_NAME.sub("_", event.type) or "event", event.data, event.number))


def _log_line(line: LogLine) -> bytes:
    return frame(ServerEvent("log", line))
