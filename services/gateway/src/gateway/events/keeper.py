"""Keeps streams alive on which nothing happens, and ends those whose callers may not read any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable, Iterable

from gateway.events.followers import Caller, Followers
from kargah.domain.errors import Forbidden, Unauthenticated, Unavailable
from kargah.telemetry.logging import get_logger
from kargah.web.sse import KEEP_ALIVE

_log = get_logger(__name__)
_ROUNDS = 15  # in the time between two signs of life


class Keeper:
    """A thread. A key that was revoked, a session that ended or a role that was taken away ends its streams within
    `seconds`; while the database is away, nobody is sent off."""

    def __init__(self, followers: Followers, seconds: float) -> None:
        self._followers = followers
        self._seconds = seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopped.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds / _ROUNDS):
            try:
                self.round(time.monotonic())
            except Exception as error:  # the thread's edge: the next round tries again
                _log.error("keeping streams alive failed", error=str(error), exc_info=error)

    def round(self, now: float) -> None:
        """A sign of life to those who had none for a while, or the end."""
        due = [one for one in self._followers.all() if now - one.beat_at >= self._seconds]
        gone = _sent_off(one.caller for one in due)
        for one in due:
            one.beat_at = now
            if one.caller.credentials in gone:
                one.outlet.end()
            elif not one.outlet.waiting:
                one.outlet.send(KEEP_ALIVE)


def _sent_off(callers: Iterable[Caller]) -> set[Hashable]:
    """The credentials that are good no longer; each is checked once."""
    gone: set[Hashable] = set()
    checks = {caller.credentials: caller.check for caller in callers if caller.check is not None}
    for credentials, check in checks.items():
        try:
            check()
        except (Unauthenticated, Forbidden):
            gone.add(credentials)
        except Unavailable:
            break
    return gone
