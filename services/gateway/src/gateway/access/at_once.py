"""How many requests of one person may be under way at once: each holds a thread until its answer has been taken, and
who reads slowly could hold all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.wsgi import ClosingIterator

from gateway.access.addresses import Addresses
from gateway.access.limits import too_many
from kargah.access.principal import ANYBODY, Principal, current_principal

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_SECONDS = 1.0
_current = threading.local()


class AtOnce:
    """`most`: of one user, with all of their keys and sessions, or of one address where nobody says who asks."""

    def __init__(self, most: int, addresses: Addresses) -> None:
        self._most = most
        self._addresses = addresses
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def watch(self, app: Flask) -> None:
        """Count from now on, after it is known who asks; a request is over when the server closes its answer."""
        app.wsgi_app = _until_closed(app.wsgi_app)  # type: ignore[assignment, method-assign]  # as Flask's documentation does

        @app.before_request
        def begin() -> None:
            asker = _asker(current_principal()) or f"address {self._addresses.of(request)}"
            _current.free = self.take(asker)

    def take(self, asker: str) -> Callable[[], None]:
        """Count a request of `asker`; what tells that it is over. Raises TooMany."""
        with self._lock:
            count = self._counts.get(asker, 0)
            if count >= self._most:
                raise too_many(f"{count} requests of yours are under way at once: no more are taken.", _SECONDS)
            self._counts[asker] = count + 1
        return lambda: self._free(asker)

    def _free(self, asker: str) -> None:
        with self._lock:
            self._counts[asker] -= 1
            if self._counts[asker] == 0:
                del self._counts[asker]


def _until_closed(app: WSGIApplication) -> WSGIApplication:
    """Not by Flask's own response, which is never closed where it is a file."""

    def run(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        _current.free = _nothing
        try:
            answer = app(environ, start_response)
        except BaseException:
            _current.free()
            raise
        return ClosingIterator(answer, [_current.free])

    return run


def _nothing() -> None:
    """For requests that were refused before they were counted."""


def _asker(principal: Principal) -> str | None:
    return None if principal is ANYBODY else principal.user or principal.subject
