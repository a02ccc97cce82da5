"""Access, wired."""

from __future__ import annotations

from gateway.access.accounts import Accounts
from gateway.access.first_admin import FirstAdmin
from gateway.access.identify import Identifier
from gateway.access.keys import Keys
from gateway.access.routes import add_key_routes, add_project_routes, add_session_routes, add_user_routes
from gateway.access.sessions import Sessions
from gateway.config import GatewaySettings
from kargah.db.engine import Engine
from kargah.web.api import Api


def add_access(api: Api, engine: Engine, settings: GatewaySettings, first_admin: FirstAdmin) -> None:
    """The routes of users, sessions, projects and keys: there also where nobody must log in yet."""
    accounts = Accounts(engine)
    sessions = Sessions(engine, settings.service_secret, first_admin)
    add_session_routes(api, sessions, accounts, auth=settings.auth == "on")
    add_user_routes(api, accounts)
    add_project_routes(api, accounts)
    add_key_routes(api, Keys(engine))


def identifier(engine: Engine, settings: GatewaySettings) -> Identifier | None:
    """Who asks; None where nobody must log in."""
    secret = settings.service_secret
    return Identifier(engine, secret) if secret is not None else None
