"""What every request leaves behind: an id, a log line, and the RED metrics (rate, errors, duration)."""

from __future__ import annotations

import re
import time

import structlog
from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

from kargah.domain.ids import new_id
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_LABELS = ["service", "method", "route", "status"]
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})


def observe_requests(app: Flask, service: str, registry: CollectorRegistry) -> None:
    """Give requests ids (the caller's, when it is well-formed), log them, count them by route template."""
    total = Counter("kargah_http_requests_total", "HTTP requests answered.", _LABELS, registry=registry)
    seconds = Histogram(
        "kargah_http_request_duration_seconds",
        "Seconds until the answer's headers were ready.",
        _LABELS,
        buckets=_BUCKETS,
        registry=registry,
    )

    @app.before_request
    def begin() -> None:
        given = request.headers.get("x-request-id", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else new_id("req")
        g.started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        elapsed = time.perf_counter() - g.started
        labels = (service, _method_label(), _route_label(), str(response.status_code))
        total.labels(*labels).inc()
        seconds.labels(*labels).observe(elapsed)
        response.headers["x-request-id"] = g.request_id
        _log_request(response, elapsed)
        return response


def _log_request(response: Response, elapsed: float) -> None:
    write = _log.debug if request.path in _QUIET else _log.info
    write(
        "request",
        method=request.method,
        path=request.path[:500],
        status=response.status_code,
        milliseconds=round(elapsed * 1000, 1),
    )


def _method_label() -> str:
    return request.method if request.method in _METHODS else "other"


def _route_label() -> str:
    """The template, never the path: the number of label values stays bounded."""
    return request.url_rule.rule if request.url_rule is not None else "unmatched"
