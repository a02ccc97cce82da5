"""`/api/auth`, `/api/users`, `/api/projects`, `/api/keys`."""

from __future__ import annotations

from flask import request

from gateway.access.accounts import Accounts
from gateway.access.addresses import Addresses
from gateway.access.keys import Keys
from gateway.access.sessions import Sessions
from kargah.access.principal import current_principal
from kargah.access.roles import Permission
from kargah.contracts.access import (
    KeyCreate,
    KeyMade,
    KeyView,
    Login,
    MemberSet,
    Membership,
    MemberView,
    PasswordChange,
    ProjectCreate,
    ProjectView,
    Refresh,
    SessionTokens,
    UserCreate,
    UserUpdate,
    UserView,
    WhoAmI,
)
from kargah.contracts.base import Page
from kargah.domain.scope import EVERY, NOBODY
from kargah.web.api import Api

_TAGS = ["access"]
_MEMBERS = "/api/projects/<project>/members"


def add_session_routes(api: Api, sessions: Sessions, accounts: Accounts, addresses: Addresses, *, auth: bool) -> None:
    """Who one is."""

    @api.post("/api/auth/login", body=Login, returns=SessionTokens, needs=Permission.PUBLIC, tags=_TAGS)
    def login(body: Login) -> SessionTokens:
        """Begin a session with a name and a password."""
        return sessions.login(body, addresses.of(request))

    @api.post("/api/auth/refresh", body=Refresh, returns=SessionTokens, needs=Permission.PUBLIC, tags=_TAGS)
    def refresh_session(body: Refresh) -> SessionTokens:
        """New tokens for the refresh token of the last answer, which is good once."""
        return sessions.refresh(body.refresh_token)

    @api.post("/api/auth/logout", body=Refresh, status=204, needs=Permission.PUBLIC, tags=_TAGS)
    def logout(body: Refresh) -> None:
        """End a session."""
        sessions.logout(body.refresh_token)

    @api.post("/api/auth/password", body=PasswordChange, status=204, needs=Permission.LOGIN, tags=_TAGS)
    def change_password(body: PasswordChange) -> None:
        """Change one's own password; all of one's sessions end."""
        me = current_principal()
        sessions.change_password(me.user, me.name, body)

    @api.get("/api/auth/whoami", returns=WhoAmI, needs=Permission.LOGIN, tags=_TAGS)
    def whoami() -> WhoAmI:
        """Who sends this request, and what it may do."""
        me = current_principal()
        return WhoAmI(
            auth=auth,
            subject=me.subject,
            name=me.name,
            platform=me.platform,
            role=me.role,
            project=None if me.project in (EVERY, NOBODY) else me.project,
            projects=[Membership(project=name, role=role) for name, role in sorted(accounts.roles(me).items())],
        )


def add_user_routes(api: Api, accounts: Accounts) -> None:
    """For those who look after the platform."""

    @api.get("/api/users", returns=Page[UserView], needs=Permission.PLATFORM, tags=_TAGS)
    def list_users() -> Page[UserView]:
        """Everybody, with their projects."""
        return accounts.users()

    @api.post("/api/users", body=UserCreate, returns=UserView, status=201, needs=Permission.PLATFORM, tags=_TAGS)
    def add_user(body: UserCreate) -> UserView:
        """A new user."""
        return accounts.add_user(body)

    @api.patch("/api/users/<name>", body=UserUpdate, returns=UserView, needs=Permission.PLATFORM, tags=_TAGS)
    def update_user(name: str, body: UserUpdate) -> UserView:
        """Disable a user, set a new password, or make somebody look after the platform."""
        return accounts.update_user(name, body)


def add_project_routes(api: Api, accounts: Accounts) -> None:
    """Projects and their members."""

    @api.get("/api/projects", returns=Page[ProjectView], needs=Permission.LOGIN, tags=_TAGS)
    def list_projects() -> Page[ProjectView]:
        """One's own projects; all of them for those who look after the platform."""
        return accounts.projects(current_principal())

    @api.post(
        "/api/projects", body=ProjectCreate, returns=ProjectView, status=201, needs=Permission.PLATFORM, tags=_TAGS
    )
    def add_project(body: ProjectCreate) -> ProjectView:
        """A new project, without members."""
        return accounts.add_project(body.name)

    @api.get(_MEMBERS, returns=Page[MemberView], tags=_TAGS)
    def list_members(project: str) -> Page[MemberView]:
        """Who is in a project."""
        return accounts.members(current_principal(), project)

    @api.put(f"{_MEMBERS}/<name>", body=MemberSet, returns=MemberView, needs=Permission.ADMIN, tags=_TAGS)
    def set_member(project: str, name: str, body: MemberSet) -> MemberView:
        """Let a user into a project, or change the role."""
        return accounts.set_member(current_principal(), project, name, body)

    @api.delete(f"{_MEMBERS}/<name>", status=204, needs=Permission.ADMIN, tags=_TAGS)
    def remove_member(project: str, name: str) -> None:
        """Take a user out of a project; the user's keys for it stop working."""
        accounts.remove_member(current_principal(), project, name)


def add_key_routes(api: Api, keys: Keys) -> None:
    """API keys of the request's project."""

    @api.get("/api/keys", returns=Page[KeyView], tags=_TAGS)
    def list_keys() -> Page[KeyView]:
        """One's own keys; everybody's for an admin of the project."""
        return keys.list(current_principal())

    @api.post("/api/keys", body=KeyCreate, returns=KeyMade, status=201, needs=Permission.READ, tags=_TAGS)
    def make_key(body: KeyCreate) -> KeyMade:
        """A new key, shown this once."""
        return keys.make(current_principal(), body)

    @api.delete("/api/keys/<key_id>", status=204, needs=Permission.READ, tags=_TAGS)
    def revoke_key(key_id: str) -> None:
        """Revoke a key, and those that were made with it, at once."""
        keys.revoke(current_principal(), key_id)
