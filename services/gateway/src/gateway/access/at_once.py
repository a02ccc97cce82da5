"""How many requests of one person may be under way at once: each holds a thread until its answer has been taken, and
who reads slowly could hold all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask import Flask, Response, g, request

from gateway.access.addresses import Addresses
from gateway.access.limits import too_many
from kargah.access.principal import ANYBODY, Principal, current_principal

_SECONDS = 1.0
_FREE = "request_at_once_ends"


class AtOnce:
    """`most`: of one user, with all of their keys and sessions, or of one address where nobody says who asks."""

    def __init__(self, most: int, addresses: Addresses) -> None:
        self._most = most
        self._addresses = addresses
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}

    def watch(self, app: Flask) -> None:
        """Count from now on, after it is known who asks; a request is over when its answer is closed."""

        @app.before_request
        def begin() -> None:
            setattr(g, _FREE, self.take(_asker(current_principal()) or f"address {self._addresses.of(request)}"))

        @app.after_request
        def end_with_the_answer(response: Response) -> Response:
            if (free := g.pop(_FREE, None)) is not None:
                response.call_on_close(free)
            return response

        @app.teardown_request
        def end_without_one(_error: BaseException | None) -> None:
            if (free := g.pop(_FREE, None)) is not None:
                free()

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


def _asker(principal: Principal) -> str | None:
    return None if principal is ANYBODY else principal.user or principal.subject
