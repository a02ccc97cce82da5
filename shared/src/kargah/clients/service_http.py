"""HTTP from one service of the platform to another."""

from __future__ import annotations

import httpx

from kargah.domain.hosts import any_https
from kargah.telemetry.ids import pass_on

_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)


def service_client(
    *urls: str, timeout: httpx.Timeout | float, auth: httpx.Auth | None = None, limits: httpx.Limits = _LIMITS
) -> httpx.Client:
    """A client for the services at `urls`; relative to the URL where there is but one.

    They are addressed directly: no proxy of the environment stands between. Each call carries the id of the request
    that it serves.
    """
    return httpx.Client(
        base_url=urls[0] if len(urls) == 1 else "",
        timeout=timeout,
        limits=limits,
        auth=auth,
        event_hooks={"request": [pass_on]},
        trust_env=False,
        verify=any_https(*urls),
    )
