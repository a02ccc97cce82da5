"""The Hub's own address as the client wrote it: links and hrefs must begin with it."""

from __future__ import annotations

from urllib.parse import quote, urlencode, urlsplit

from flask import request

PREFIX = "/hub"
_SCHEMES = ("http", "https")


def endpoint() -> str:
    """`http://127.0.0.1:8080/hub`. The gateway says what it was asked for; it only shows in this very answer."""
    scheme = request.headers.get("x-forwarded-proto", request.scheme)
    host = request.headers.get("x-forwarded-host", request.host)
    if scheme not in _SCHEMES or not _is_host(host):
        scheme, host = request.scheme, request.host
    return f"{scheme}://{host}{PREFIX}"


def below(*parts: str) -> str:
    """An address below the endpoint."""
    return "/".join((endpoint(), *(quote(part) for part in parts)))


def next_link(cursor: str) -> dict[str, str]:
    """The header that leads to the next page: this very request, with a cursor."""
    members = [(name, value) for name, value in request.args.items(multi=True) if name != "cursor"]
    path = quote(request.path.removeprefix(PREFIX))
    return {"link": f'<{endpoint()}{path}?{urlencode([*members, ("cursor", cursor)])}>; rel="next"'}


def _is_host(text: str) -> bool:
    try:
        parts = urlsplit(f"//{text}")
        return parts.netloc == text and bool(parts.hostname) and "@" not in text and (parts.port or 1) > 0
    except ValueError:
        return False
