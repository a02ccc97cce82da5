"""Ask every request who it is from, before any handler sees it, and let it see that project's rows alone.

Each request runs in a context of its own, its body included: a streamed answer works for the same project as the
handler that began it, and a thread of the server keeps nothing of the last request.
"""

from __future__ import annotations

import contextvars
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from flask import Flask, Request, request

from kargah.access.principal import ANYBODY, Principal, current_principal, set_principal
from kargah.access.roles import Permission, needed_by
from kargah.access.tokens import BadToken, read_service_token
from kargah.domain.errors import BadRequest, Forbidden, Unauthenticated
from kargah.domain.scope import EVERY, LOCAL, NOBODY, set_project
from kargah.web.settings import WebSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Authenticate = Callable[[Request], Principal]
Needs = Mapping[str, Permission]
COLLECTOR = Principal("collector", "collector of metrics", None, EVERY)
_HINT = "Send `Authorization: Bearer ...`: `kargah login`, or an API key (`kargah keys create`)."


def guard_access(app: Flask, settings: WebSettings, needs: Needs, authenticate: Authenticate | None) -> None:
    """Nothing where nobody must log in. Else `needs` by endpoint (by its method one that is not named) is enforced;
    `authenticate` tells who sends a request, by default only the other services of the platform."""
    secret = settings.service_secret
    if secret is None:
        return
    who = authenticate or _services_alone(secret)
    app.wsgi_app = _in_own_context(app.wsgi_app)  # type: ignore[assignment, method-assign]  # as Flask's documentation does

    @app.before_request
    def check() -> None:
        act_for(ANYBODY)
        needed = _needed(request, needs)
        if needed in (Permission.PUBLIC, Permission.SIGNED):
            return
        if needed is Permission.METRICS and _is_collector(request, settings.collector_token):
            act_for(COLLECTOR)
            return
        principal = who(request)
        structlog.contextvars.bind_contextvars(principal=principal.subject, project=principal.project)
        set_principal(principal)  # also of a refusal one must know whose it was
        require(principal, needed)
        act_for(principal)


def act_for(principal: Principal) -> None:
    """The rest of this request is on behalf of `principal`."""
    set_principal(principal)
    set_project(principal.project)


def act_for_project(project: str) -> None:
    """The rest of this request works for the project that a signature of ours names. Nothing where nobody logs in."""
    if current_principal() is ANYBODY:
        set_project(LOCAL if project == EVERY else project)


def require(principal: Principal, needed: Permission) -> None:
    """Raises BadRequest where a project must be named first, Forbidden where the role does not reach."""
    if principal.may(needed):
        return
    if principal.role is None and needed in (Permission.READ, Permission.WRITE, Permission.ADMIN):
        raise BadRequest(
            "This needs a project, and the request names none.",
            hint="Name one of yours in the header `x-kargah-project`; GET /api/auth/whoami lists them.",
        )
    role = "no role" if principal.role is None else f"the role {principal.role.value}"
    raise Forbidden(
        f"{principal.name} has {role} here, and this needs the right to {_WORDS[needed]}.",
        hint="Ask somebody who looks after the platform."
        if needed is Permission.PLATFORM
        else "Ask an admin of the project for a higher role.",
    )


_WORDS = {
    Permission.READ: "read",
    Permission.WRITE: "make and change things",
    Permission.ADMIN: "administer the project",
    Permission.PLATFORM: "administer the platform",
    Permission.METRICS: "collect metrics",
}


def bearer_of(given: Request) -> str | None:
    """The token in the Authorization header. Raises Unauthenticated for a header of another form."""
    header = given.headers.get("authorization")
    if header is None or not header.strip():
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("The Authorization header holds no bearer token.", hint=_HINT)
    return token.strip()


def nobody_known() -> Unauthenticated:
    """For a request without credentials."""
    return Unauthenticated("Nobody is logged in.", hint=_HINT)


def submitted_project(field: str, given: str | None) -> None:
    """Raises Forbidden for a project in a body that is not the one that the request is for."""
    project = current_principal().project
    if project not in (EVERY, NOBODY) and given is not None and given != project:
        raise Forbidden(f"{field} must be {project}, the project of this request, or be left out.")


def _services_alone(secret: str) -> Authenticate:
    def authenticate(given: Request) -> Principal:
        token = bearer_of(given)
        if token is None:
            raise nobody_known()
        try:
            return read_service_token(secret, token)
        except BadToken as error:
            hint = "Only the platform's own services and its gateway may ask."
            raise Unauthenticated(str(error), hint=hint) from error

    return authenticate


def _needed(given: Request, needs: Needs) -> Permission:
    """That there is no such address, or not with this method, is no secret: the documents are public, and clients of
    the Hub try addresses of newer hubs first."""
    if given.url_rule is None:
        return Permission.PUBLIC
    return needs.get(given.url_rule.endpoint) or needed_by(given.method)


def _is_collector(given: Request, token: str | None) -> bool:
    header = given.headers.get("authorization", "")
    return token is not None and hmac.compare_digest(header.encode(), f"Bearer {token}".encode())


def _in_own_context(app: WSGIApplication) -> WSGIApplication:
    def run(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        context = contextvars.copy_context()
        return _Body(context, context.run(app, environ, start_response))

    return run


class _Body:
    """An answer's body, whose pieces are made in the request's own context."""

    def __init__(self, context: contextvars.Context, pieces: Iterable[bytes]) -> None:
        self._context = context
        self._pieces = pieces
        self._rest: Iterator[bytes] = context.run(iter, pieces)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._rest)

    def close(self) -> None:
        close: Any = getattr(self._pieces, "close", None)
        if close is not None:
            self._context.run(close)
