"""`client.access`: who one is; users, projects and API keys."""

from __future__ import annotations

from urllib.parse import quote

from kargah.access.roles import Role
from kargah.clients.transport import Transport, given
from kargah.contracts.access import (
    AuditEntry,
    KeyMade,
    KeyView,
    MemberView,
    ProjectView,
    SessionTokens,
    UserView,
    WhoAmI,
)
from kargah.contracts.base import Page


class Access:
    """Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def login(self, name: str, password: str) -> SessionTokens:
        """Begin a session: tokens for a quarter of an hour, and one to renew them with."""
        body = {"name": name, "password": password}
        return self._transport.ask(SessionTokens, "POST", "/api/auth/login", json=body)

    def logout(self, refresh_token: str) -> None:
        """End a session."""
        self._transport.send("POST", "/api/auth/logout", json={"refreshToken": refresh_token})

    def whoami(self) -> WhoAmI:
        return self._transport.ask(WhoAmI, "GET", "/api/auth/whoami")

    def change_password(self, current: str, new: str) -> None:
        """One's own; all sessions end."""
        self._transport.send("POST", "/api/auth/password", json={"current": current, "new": new})

    def users(self) -> Page[UserView]:
        return self._transport.ask(Page[UserView], "GET", "/api/users")

    def add_user(
        self,
        name: str,
        password: str,
        *,
        platform: bool = False,
        project: str | None = None,
        role: Role = Role.TRAINER,
    ) -> UserView:
        """A new user, who begins in `project` with `role`, or in none."""
        body = {"name": name, "password": password, "platform": platform, "project": project, "role": role.value}
        return self._transport.ask(UserView, "POST", "/api/users", json=given(body))

    def update_user(
        self, name: str, *, disabled: bool | None = None, platform: bool | None = None, password: str | None = None
    ) -> UserView:
        """Change what is given."""
        body = given({"disabled": disabled, "platform": platform, "password": password})
        return self._transport.ask(UserView, "PATCH", f"/api/users/{_part(name)}", json=body)

    def projects(self) -> Page[ProjectView]:
        return self._transport.ask(Page[ProjectView], "GET", "/api/projects")

    def add_project(self, name: str) -> ProjectView:
        return self._transport.ask(ProjectView, "POST", "/api/projects", json={"name": name})

    def members(self, project: str) -> Page[MemberView]:
        return self._transport.ask(Page[MemberView], "GET", f"/api/projects/{_part(project)}/members")

    def set_member(self, project: str, user: str, role: Role) -> MemberView:
        """Let a user in, or change the role."""
        path = f"/api/projects/{_part(project)}/members/{_part(user)}"
        return self._transport.ask(MemberView, "PUT", path, json={"role": role.value})

    def remove_member(self, project: str, user: str) -> None:
        self._transport.send("DELETE", f"/api/projects/{_part(project)}/members/{_part(user)}")

    def keys(self) -> Page[KeyView]:
        """One's own in this project; everybody's for an admin."""
        return self._transport.ask(Page[KeyView], "GET", "/api/keys")

    def make_key(self, name: str, *, role: Role | None = None, days: int = 90, platform: bool = False) -> KeyMade:
        """A key for this project; its text is in the answer and nowhere else."""
        body = given({"name": name, "role": role, "days": days, "platform": platform})
        return self._transport.ask(KeyMade, "POST", "/api/keys", json=body)

    def revoke_key(self, key_id: str) -> None:
        self._transport.send("DELETE", f"/api/keys/{_part(key_id)}")

    def audit(
        self,
        *,
        name: str | None = None,
        operation: str | None = None,
        status: int | None = None,
        everywhere: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[AuditEntry]:
        """What was changed and refused, newest first; `status` 4 is all of the four hundreds."""
        query = {"name": name, "operation": operation, "status": status, "limit": limit, "cursor": cursor}
        given_query = given({**query, "everywhere": "true" if everywhere else None})
        return self._transport.ask(Page[AuditEntry], "GET", "/api/audit", params=given_query)


def _part(name: str) -> str:
    return quote(name, safe="")
