"""`/healthz`: the process lives. `/readyz`: what it needs answers. `/metrics`: for Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask, Response, jsonify
from prometheus_client import CollectorRegistry

from kargah.telemetry.logging import get_logger
from kargah.telemetry.metrics import CONTENT_TYPE, exposition

_log = get_logger(__name__)

Checks = Mapping[str, Callable[[], object]]


def register_health(app: Flask, checks: Checks, registry: CollectorRegistry) -> None:
    """Each check is called on every `/readyz` and fails by raising; it should give up within a few seconds."""

    @app.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @app.get("/readyz")
    def readyz() -> tuple[Response, int]:
        failed = [name for name, check in checks.items() if not _passes(name, check)]
        status = "ready" if not failed else "not ready"
        return jsonify(status=status, checks=sorted(checks), failed=failed), 503 if failed else 200

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(exposition(registry), content_type=CONTENT_TYPE)


def _passes(name: str, check: Callable[[], object]) -> bool:
    try:
        check()
    except Exception as error:  # the edge of the process: whatever fails, the answer is "not ready"
        _log.warning("not ready", check=name, error=str(error))
        return False
    return True
