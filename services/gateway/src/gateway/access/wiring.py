"""Access, wired."""

from __future__ import annotations

from flask import Flask, Request

from gateway.access.accounts import Accounts
from gateway.access.addresses import Addresses
from gateway.access.at_once import AtOnce
from gateway.access.audit import add_audit_routes
from gateway.access.first_admin import FirstAdmin
from gateway.access.identify import Identifier
from gateway.access.keys import Keys
from gateway.access.limits import LoginLimits, RequestLimits
from gateway.access.recorder import Recorder
from gateway.access.routes import add_key_routes, add_project_routes, add_session_routes, add_user_routes
from gateway.access.sessions import Sessions
from gateway.config import GatewaySettings
from gateway.events.followers import Caller
from kargah.access.principal import Principal, current_principal
from kargah.access.roles import Permission
from kargah.db.engine import Engine
from kargah.domain.errors import Unauthenticated
from kargah.domain.scope import EVERY, project_scope
from kargah.web.access import Authenticate, require
from kargah.web.api import Api

# Of the server's threads, those that one person's requests may hold at once.
_SHARE_OF_ONE = 2


class Access:
    """Users, sessions, projects, keys and the record. The routes are there also where nobody must log in yet."""

    def __init__(self, engine: Engine, settings: GatewaySettings) -> None:
        self._engine = engine
        self._settings = settings
        self._addresses = Addresses(settings.trusted_proxies)
        self._limits = RequestLimits(engine, settings.requests_per_minute)
        self.first_admin = FirstAdmin(engine, settings.first_password)
        secret = settings.service_secret
        self._identify = None if secret is None else Identifier(engine, secret)

    def add_routes(self, api: Api) -> None:
        """Everything about access."""
        accounts = Accounts(self._engine)
        secret = self._settings.service_secret
        sessions = Sessions(self._engine, secret, self.first_admin, LoginLimits(self._engine))
        add_session_routes(api, sessions, accounts, self._addresses, auth=secret is not None)
        add_user_routes(api, accounts)
        add_project_routes(api, accounts)
        add_key_routes(api, Keys(self._engine))
        add_audit_routes(api, self._engine)

    @property
    def authenticate(self) -> Authenticate | None:
        """Tells who sends a request, as often as that one may; None where nobody must log in."""
        identify = self._identify
        if identify is None:
            return None

        def authenticate(request: Request) -> Principal:
            with project_scope(EVERY):  # users and keys are of no project
                try:
                    principal = identify(request)
                except Unauthenticated:
                    self._limits.take(f"address {self._addresses.of(request)}")
                    raise
                self._limits.take(principal.subject)
            return principal

        return authenticate

    def caller_of(self, request: Request) -> Caller:
        """Whose stream this request opens, which goes on for as long as the same credentials open another."""
        principal, identify = current_principal(), self._identify
        if identify is None:
            return Caller(principal.subject)
        shown = identify.credentials(request, principal.project)

        def check() -> None:
            with project_scope(EVERY):
                require(identify.of(shown), Permission.READ)

        return Caller(principal.subject, shown, check)

    def may_still_read(self, subject: str, project: str) -> bool:
        """Of what was signed for somebody who may have been shut out since."""
        with project_scope(EVERY):
            return self._identify is not None and self._identify.may_still_read(subject, project)

    def watch(self, app: Flask) -> None:
        """Record what is changed and refused, and let nobody have all threads, where people must log in."""
        if self._settings.service_secret is not None:
            AtOnce(max(1, self._settings.threads // _SHARE_OF_ONE), self._addresses).watch(app)
            Recorder(self._engine, self._addresses, self._settings.audit_days).watch(app)
