"""Roles, and what each may do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """Of a person in a project, or of a service."""

    VIEWER = "viewer"
    TRAINER = "trainer"
    ADMIN = "admin"
    SERVICE = "service"


class Permission(StrEnum):
    """What a route needs.

    PUBLIC: nothing. SIGNED: its handler checks a signature of its own in the address or the header. METRICS: the token
    of those who collect metrics. LOGIN: somebody who is known, in no particular project. READ, WRITE, ADMIN: that, in
    the request's project. PLATFORM: somebody who looks after all projects.
    """

    PUBLIC = "public"
    SIGNED = "signed"
    METRICS = "metrics"
    LOGIN = "login"
    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    PLATFORM = "platform"


# What a person may have, from the least to the most.
PEOPLE = (Role.VIEWER, Role.TRAINER, Role.ADMIN)
MAY: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.TRAINER: frozenset({Permission.READ, Permission.WRITE}),
    Role.ADMIN: frozenset({Permission.READ, Permission.WRITE, Permission.ADMIN}),
    Role.SERVICE: frozenset({Permission.READ, Permission.WRITE, Permission.METRICS}),
}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def lesser(one: Role, other: Role) -> Role:
    """The one of two people's roles that may do less."""
    return min(one, other, key=PEOPLE.index)


def needed_by(method: str) -> Permission:
    """What a route needs that does not say: READ for methods that change nothing."""
    return Permission.READ if method in _READING else Permission.WRITE
