"""Who may do what, on the wire: sessions, users, projects, API keys."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kargah.access.roles import Role
from kargah.contracts.base import Timestamp, Wire, WireRequest

PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
UserName = Annotated[str, Field(pattern=PLAIN_NAME)]
ProjectName = Annotated[str, Field(pattern=PLAIN_NAME)]
_Password = Annotated[str, Field(max_length=1000)]


class Login(WireRequest):
    """A person's name and password."""

    name: str = Field(max_length=200)
    password: _Password


class Refresh(WireRequest):
    """The refresh token of the last answer; it is good once."""

    refresh_token: str = Field(max_length=200)


class SessionTokens(Wire):
    """`access_token` goes into `Authorization: Bearer ...` for `expires_in` seconds; then ask for new ones with
    `refresh_token`."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int


class Membership(Wire):
    """A role in a project."""

    project: str
    role: Role


class WhoAmI(Wire):
    """`auth`: whether people must log in at all. `role` and `project` are those of this very request; None where it is
    for none, or for all. `projects`: all of the person's."""

    auth: bool
    subject: str
    name: str
    platform: bool
    role: Role | None
    project: str | None
    projects: list[Membership]


class PasswordChange(WireRequest):
    """One's own password, with the one so far."""

    current: _Password
    new: _Password


class UserCreate(WireRequest):
    """`platform`: looks after all projects and users. `project` and `role`: where the user begins."""

    name: UserName
    password: _Password
    platform: bool = False
    project: ProjectName | None = None
    role: Role = Field(default=Role.TRAINER, strict=False)


class UserUpdate(WireRequest):
    """What is given changes. A disabled user's sessions end and keys stop working; a new password ends the sessions."""

    disabled: bool | None = None
    platform: bool | None = None
    password: _Password | None = None


class UserView(Wire):
    """A person."""

    id: str
    name: str
    platform: bool
    disabled: bool
    created_at: Timestamp
    projects: list[Membership] = []


class ProjectCreate(WireRequest):
    """A project is made once and for all: jobs, datasets and models belong to it."""

    name: ProjectName


class ProjectView(Wire):
    """`role`: the asking person's own; None for somebody who looks after all projects and is no member."""

    name: str
    created_at: Timestamp
    members: int
    role: Role | None = None


class MemberSet(WireRequest):
    """What a member may do."""

    role: Role = Field(strict=False)


class MemberView(Wire):
    """A person in a project."""

    user: str
    role: Role


class KeyCreate(WireRequest):
    """A key for the project of the request. `role` is at most one's own, which is the default; `platform` is for those
    who look after the platform. A key that makes a key cannot give it a longer life than its own."""

    name: str = Field(min_length=1, max_length=100)
    role: Role | None = Field(default=None, strict=False)
    days: int = Field(default=90, ge=1, le=3650)
    platform: bool = False


class KeyView(Wire):
    """An API key, without what is secret of it; `id` is the part after `kgh_`."""

    id: str
    name: str
    user: str
    project: str
    role: Role
    platform: bool
    created_at: Timestamp
    expires_at: Timestamp
    last_used_at: Timestamp | None = None
    revoked_at: Timestamp | None = None


class KeyMade(KeyView):
    """`key` is shown this once."""

    key: str


class AuditEntry(Wire):
    """One request that changed something or was refused. `operation` as in the OpenAPI document, or the address that is
    passed on; `name` of somebody who failed to log in is what was typed."""

    id: int
    at: Timestamp
    subject: str
    name: str
    project: str
    method: str
    operation: str
    path: str
    status: int
    request_id: str
    address: str
