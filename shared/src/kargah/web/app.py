"""The app factory of every HTTP service."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Flask, Response, jsonify
from prometheus_client import CollectorRegistry

from kargah.access.roles import Permission
from kargah.telemetry.metrics import new_registry
from kargah.web.access import Authenticate, Needs, guard_access
from kargah.web.api import Api, openapi_of
from kargah.web.envelopes import Envelope
from kargah.web.errors import register_errors
from kargah.web.guard import guard_hosts
from kargah.web.health import Checks, register_health
from kargah.web.observe import observe_requests
from kargah.web.rules import FindingRule
from kargah.web.settings import WebSettings

Document = dict[str, Any]
# Those that every service has.
_NEEDS = {
    "healthz": Permission.PUBLIC,
    "readyz": Permission.PUBLIC,
    "openapi_json": Permission.PUBLIC,
    "metrics": Permission.METRICS,
}
_SECURITY = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY"}


def create_app(
    name: str,
    api: Api | Sequence[Api],
    checks: Checks,
    settings: WebSettings,
    *,
    envelopes: Mapping[str, Envelope] | None = None,
    registry: CollectorRegistry | None = None,
    whole: Callable[[Document], Callable[[], Document]] | None = None,
    authenticate: Authenticate | None = None,
    needs: Needs | None = None,
) -> Flask:
    """A Flask app with the routes of `api`, `/openapi.json`, `/healthz`, `/readyz` and `/metrics`.

    `checks` are the named readiness checks. `envelopes` maps URL prefixes to error dialects; the rest is
    problem+json. `registry` is for services that count something of their own. `whole` makes, of the document of these
    routes, a reader of the one to serve. `authenticate` tells who sends a request, by default only the platform's own
    services; `needs`: what endpoints beside those of `api` need.
    """
    apis = [api] if isinstance(api, Api) else list(api)
    registry = registry or new_registry()
    app = Flask(name, static_folder=None)
    app.url_rule_class = FindingRule
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the provider's base class does not declare it
    app.url_map.merge_slashes = False
    observe_requests(app, name, registry)
    guard_hosts(app, settings)
    guard_access(app, settings, {**_NEEDS, **(needs or {}), **_needs_of(apis)}, authenticate)
    register_errors(app, envelopes or {})
    register_health(app, checks, registry)
    _serve_document(app, openapi_of(apis), whole)
    for one in apis:
        one.register(app)
    app.after_request(_add_security_headers)
    return app


def _needs_of(apis: Sequence[Api]) -> dict[str, Permission]:
    return {endpoint: needed for api in apis for endpoint, needed in api.needs().items()}


def _serve_document(app: Flask, document: Document, whole: Callable[[Document], Callable[[], Document]] | None) -> None:
    """Built once, at start: a document that cannot be built keeps the service from starting."""
    read = whole(document) if whole is not None else lambda: document

    @app.get("/openapi.json")
    def openapi_json() -> Response:
        return jsonify(read())


def _add_security_headers(response: Response) -> Response:
    for header, value in _SECURITY.items():
        response.headers.setdefault(header, value)
    return response
