"""Limits: failed logins, and requests of one principal. The counts are in the database, for all gateways together."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from gateway.access import counts_repository
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import TooMany

_LOGIN_SECONDS = 900
_MINUTE = 60
_SHARES = 20
_MOST_KNOWN = 10_000


class LoginLimits:
    """Tries within a quarter of an hour: few for a name from one address, some for an address, more for a name, so that
    nobody can lock another out from elsewhere with ease."""

    LIMITS = (("login of", 5), ("login from", 30), ("login as", 100))

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def take(self, name: str, address: str) -> None:
        """Count a try before the password is looked at. Raises TooMany."""
        with UnitOfWork(self._engine) as tx:
            counts_repository.remove_old(tx.connection)
            for (what, most), key in zip(self.LIMITS, _keys(name, address), strict=True):
                number, left = counts_repository.add(tx.connection, what, key, _LOGIN_SECONDS)
                if number > most:
                    raise too_many("Too many tries to log in.", left)

    def forgive(self, name: str, address: str) -> None:
        """The password was right."""
        with UnitOfWork(self._engine) as tx:
            counts_repository.forget(tx.connection, self.LIMITS[0][0], _keys(name, address)[0])


def _keys(name: str, address: str) -> tuple[str, str, str]:
    return (f"{name} {address}", address, name)


@dataclass
class _Share:
    left: int
    until: float


class RequestLimits:
    """At most `per_minute` requests of one principal. Each gateway takes a share at a time from the common count, so
    that not every request writes."""

    def __init__(self, engine: Engine, per_minute: int) -> None:
        self._engine = engine
        self._most = per_minute
        self._size = max(1, per_minute // _SHARES)
        self._lock = threading.Lock()
        self._shares: dict[str, _Share] = {}

    def take(self, subject: str) -> None:
        """Count a request. Raises TooMany."""
        now = time.monotonic()
        with self._lock:
            share = self._shares.get(subject)
            if share is not None and share.until > now and share.left > 0:
                share.left -= 1
                return
            if share is not None and share.until > now and share.left < 0:
                raise too_many("Too many requests.", share.until - now)
        self._take_share(subject)

    def _take_share(self, subject: str) -> None:
        with UnitOfWork(self._engine) as tx:
            number, left = counts_repository.add(tx.connection, "requests of", subject, _MINUTE, self._size)
            if number == self._size:
                counts_repository.remove_old(tx.connection)
        given = self._size - max(0, number - self._most)
        with self._lock:
            if len(self._shares) > _MOST_KNOWN:
                self._shares.clear()
            self._shares[subject] = _Share(given - 1, time.monotonic() + left)
        if given <= 0:
            raise too_many("Too many requests.", left)


def too_many(message: str, seconds: float) -> TooMany:
    """`seconds`: after how long another may come."""
    whole = max(1, int(seconds) + 1)
    return TooMany(message, hint=f"Try again in {whole} seconds.", extra={"seconds": whole})
