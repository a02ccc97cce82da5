"""The principal: on whose behalf the code at hand works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from kargah.access.roles import MAY, Permission, Role
from kargah.domain.scope import EVERY, NOBODY


@dataclass(frozen=True, slots=True)
class Principal:
    """`subject` is for machines (`user:usr_...`, `key:...`, `service:worker`), `name` for people. `role` holds in
    `project` (a scope: see `kargah.domain.scope`); None without a project. `platform`: looks after all projects."""

    subject: str
    name: str
    role: Role | None
    project: str
    platform: bool = False
    user: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether a route that needs `permission` is open to it."""
        if permission in (Permission.PUBLIC, Permission.SIGNED, Permission.LOGIN):
            return True
        if permission in (Permission.PLATFORM, Permission.METRICS) and self.platform:
            return True
        return self.role is not None and permission in MAY[self.role]


# Where nobody logs in.
LOCAL_ADMIN = Principal("local", "local", Role.ADMIN, EVERY, platform=True)
ANYBODY = Principal("anybody", "anybody", None, NOBODY)

_principal: ContextVar[Principal] = ContextVar("kargah_principal", default=LOCAL_ADMIN)


def current_principal() -> Principal:
    """Who sent the request at hand; `LOCAL_ADMIN` where nobody logs in."""
    return _principal.get()


def set_principal(principal: Principal) -> None:
    """For the rest of the current context."""
    _principal.set(principal)


@contextmanager
def principal_scope(principal: Principal) -> Iterator[None]:
    """Work for `principal` within the block."""
    token = _principal.set(principal)
    try:
        yield
    finally:
        _principal.reset(token)
