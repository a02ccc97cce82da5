"""The doorbell over Postgres: NOTIFY and LISTEN on one channel, heard by every worker."""

from __future__ import annotations

import time
from collections.abc import Collection

from kargah.adapters.ring import is_job_id, is_kind
from kargah.db.engine import Engine
from kargah.db.listen import Listener, Notification, notify

CHANNEL = "kargah_jobs"


class PostgresBell:
    """Rings after the caller's transaction has committed: it uses a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ring(self, job_id: str, kind: str) -> None:
        """Tell the workers that serve `kind`. Raises `Unavailable`."""
        notify(self._engine, CHANNEL, f"{kind} {job_id}")


class PostgresBellListener:
    """Hears rings of `kinds`. Every worker hears each ring; the claim decides who gets the job."""

    def __init__(self, url: str, kinds: Collection[str]) -> None:
        self._kinds = frozenset(kinds)
        self._listener = Listener(url, [CHANNEL], application_name="kargah-bell")
        self.malformed = 0

    def wait(self, timeout: float) -> bool:
        """Block until a ring or until `timeout` seconds have passed; whether it rang."""
        deadline = time.monotonic() + timeout
        while True:
            got = self._listener.wait(max(0.0, deadline - time.monotonic()))
            if any([self._concerns_us(one) for one in got]):
                return True
            if not got or time.monotonic() >= deadline:
                return False

    def close(self) -> None:
        """End a `wait` under way, and the connection with it."""
        self._listener.close()

    def _concerns_us(self, ring: Notification) -> bool:
        kind, _, job_id = ring.payload.partition(" ")
        if not is_kind(kind) or not is_job_id(job_id):
            self.malformed += 1
            return False
        return kind in self._kinds
