"""What the rooms of access hand to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from kargah.access.roles import Role


@dataclass(frozen=True, slots=True)
class Person:
    """A user who may come in, with the role in each project."""

    id: str
    name: str
    platform: bool
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key that is neither revoked nor expired, and whose. `member_role`: the person's in the key's project."""

    id: str
    digest: bytes
    user_id: str
    user: str
    user_platform: bool
    project: str
    role: Role
    platform: bool
    member_role: Role | None
    expires_at: datetime
