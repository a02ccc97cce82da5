"""Pass requests on to the services behind the gateway: streamed both ways, nothing kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import quote

import httpx
from flask import Flask, Request, Response, g, request

from kargah.access.principal import ANYBODY, current_principal
from kargah.access.tokens import mint_service_token
from kargah.clients.service_http import service_client
from kargah.domain.errors import Unavailable
from kargah.web.body import RequestBody, read_bytes

_CHUNK = 64 << 10
_SMALL = 64 << 10
# An upload or an answer may take long; silence for ten minutes is an end.
_TIMEOUT = httpx.Timeout(600.0, connect=5.0, pool=10.0)
_LIMITS = httpx.Limits(max_connections=200, max_keepalive_connections=20, keepalive_expiry=20.0)
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
# The guard at the gateway has judged Host, Origin and Cookie; the peers are addressed by their own names.
_NOT_PASSED_ON = _HOP_BY_HOP | {"host", "origin", "referer", "cookie", "expect", "x-request-id"}
_WHO_ASKS = frozenset({"authorization", "x-kargah-project", "openai-project", "openai-organization"})
_NOT_PASSED_BACK = _HOP_BY_HOP | {"x-request-id", "server", "date"}
_IN_QUERY = "%&=+/:,;?@!$'()*[]~"
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Proxy:
    """Forwards the current request to one peer. `service` is what an error message calls it; `judge` sees each request
    first, with its body where that is a little JSON, and may raise. `secret`: where people must log in, a token that it
    signs tells the peer who asks, instead of what the client sent."""

    def __init__(
        self,
        service: str,
        url: str,
        judge: Callable[[Request, bytes], None] | None = None,
        *,
        secret: str | None = None,
    ) -> None:
        self._service = service
        self._judge = judge
        self._secret = secret
        self._client = service_client(url, timeout=_TIMEOUT, limits=_LIMITS)

    def add(self, app: Flask, *rules: str, methods: Sequence[str] = _METHODS) -> None:
        """Forward everything under `rules` (Flask paths), with its path and query as they are."""
        for rule in rules:
            app.add_url_rule(
                rule,
                endpoint=endpoint_of(self._service, rule),
                view_func=self._view,
                methods=list(methods),
                provide_automatic_options=False,
            )

    def close(self) -> None:
        self._client.close()

    def _view(self, **_path: object) -> Response:
        content = _request_body()
        if self._judge is not None and _is_small_json():
            content = read_bytes(request, _SMALL)
        if self._judge is not None:
            self._judge(request, content if isinstance(content, bytes) else b"")
        outgoing = self._client.build_request(request.method, _target(), headers=self._headers(), content=content)
        try:
            incoming = self._client.send(outgoing, stream=True)
        except httpx.TransportError as error:
            raise Unavailable(
                f"The {self._service} does not answer ({type(error).__name__}).", hint="Try again in a moment."
            ) from error
        headers = [(name, value) for name, value in incoming.headers.multi_items() if name not in _NOT_PASSED_BACK]
        response = Response(_body(incoming), status=incoming.status_code, headers=headers)
        response.call_on_close(incoming.close)
        return response

    def _headers(self) -> Mapping[bytes, bytes]:
        """As the bytes that came: a header's value need not be ASCII."""
        passed = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        passed["x-request-id"] = g.request_id
        # The Hub's answers hold links, which must begin with the address that the client knows.
        passed.setdefault("X-Forwarded-Host", request.host)
        if self._secret is not None and current_principal() is not ANYBODY:
            passed = {name: value for name, value in passed.items() if name.lower() not in _WHO_ASKS}
            passed["authorization"] = f"Bearer {mint_service_token(self._secret, current_principal())}"
        return {name.encode("latin-1"): value.encode("latin-1") for name, value in passed.items()}


def endpoint_of(service: str, rule: str) -> str:
    """What Flask knows a forwarded rule by."""
    return f"proxy {service} {rule}"


def _is_small_json() -> bool:
    return request.mimetype.endswith("json") and 0 < (request.content_length or 0) <= _SMALL


def _target() -> str:
    """The path, quoted anew, and the query as the client wrote it; bytes that have no place there are quoted."""
    query = quote(request.query_string, safe=_IN_QUERY)
    return quote(request.path) + (f"?{query}" if query else "")


def _request_body() -> Iterator[bytes] | bytes | None:
    """None where there is none, so that no empty chunked body is sent."""
    chunked = "chunked" in request.headers.get("transfer-encoding", "").lower()
    if not request.content_length and not chunked:
        return None
    body = RequestBody(request)
    return iter(lambda: body.read(_CHUNK), b"")


def _body(incoming: httpx.Response) -> Iterator[bytes]:
    """The bytes as they come, still encoded as the peer encoded them."""
    yield from incoming.iter_raw()
