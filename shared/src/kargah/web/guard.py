"""Keep other web sites out of a service that runs on the user's own machine.

A page from anywhere may make the browser send requests to 127.0.0.1, directly (Origin tells) or by pointing its own
name there (Host tells: DNS rebinding). While nobody logs in, a loopback service answers only to its own names.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, request

from kargah.domain.errors import Forbidden
from kargah.domain.hosts import is_loopback
from kargah.web.settings import WebSettings

_HINT = "Use http://127.0.0.1, or list the name in KARGAH_ALLOWED_HOSTS."


def guard_hosts(app: Flask, settings: WebSettings) -> None:
    """Refuse foreign Host and Origin headers with 403. Beyond loopback, only where `allowed_hosts` is given."""
    allowed = frozenset(name.lower() for name in settings.allowed_hosts)
    if not settings.loopback and not allowed:
        return

    def is_ours(name: str) -> bool:
        return name in allowed or is_loopback(name)

    @app.before_request
    def check() -> None:
        if not is_ours(_host_name(request.headers.get("host", ""))):
            raise Forbidden("This service does not answer to that host name.", hint=_HINT)
        origin = request.headers.get("origin")
        if origin is not None and not (_is_same(origin, request.host) or _origin_name(origin) in allowed):
            raise Forbidden("Requests from other web sites are refused.", hint=_HINT)


def _is_same(origin: str, host: str) -> bool:
    """Whether a page of this very service asks: another port of this machine is another web site."""
    scheme, _, place = origin.partition("://")
    return scheme in ("http", "https") and place.lower() == host.lower()


def _host_name(host: str) -> str:
    """`localhost` of `localhost:8000`, `::1` of `[::1]:8000`; empty when it is no host at all."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower() if "@" not in host else ""
    except ValueError:
        return ""


def _origin_name(origin: str) -> str:
    """The host of an origin; empty for `null` (sandboxed frames, local files)."""
    scheme, _, host = origin.partition("://")
    return _host_name(host) if scheme in ("http", "https") else ""
