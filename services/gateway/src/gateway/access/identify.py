"""Who sends a request to the gateway: an API key or a session, and the project that it is for."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Request

from gateway.access import keys_repository, sessions_repository, users_repository
from gateway.access.values import FoundKey, Person
from kargah.access import api_keys
from kargah.access.principal import Principal
from kargah.access.roles import Role, lesser
from kargah.access.tokens import BadToken, read_session_token
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Forbidden, Unauthenticated
from kargah.domain.scope import LOCAL, NOBODY
from kargah.web.access import bearer_of, nobody_known

_HEADERS = ("x-kargah-project", "openai-project")


@dataclass(frozen=True, slots=True)
class Credentials:
    """The id of a key and its secret, or the ids of a user and of the session; and the project that is asked for."""

    id: str
    proof: str = field(repr=False)
    wanted: str | None
    is_key: bool


class Identifier:
    """Asks the database on every request: what was revoked, disabled or taken away a moment ago counts at once."""

    def __init__(self, engine: Engine, secret: str) -> None:
        self._engine = engine
        self._secret = secret

    def __call__(self, request: Request) -> Principal:
        """Raises Unauthenticated, Forbidden for a project that is not the sender's."""
        return self.of(self.credentials(request))

    def credentials(self, request: Request, project: str | None = None) -> Credentials:
        """What a request shows of its sender, for `project` where it names none itself. Raises Unauthenticated for
        nothing, or for a session's token that is not good."""
        token = bearer_of(request)
        if token is None:
            raise nobody_known()
        wanted = next((value for name in _HEADERS if (value := request.headers.get(name))), project)
        if (parts := api_keys.split_key(token)) is not None:
            return Credentials(*parts, wanted, is_key=True)
        try:
            return Credentials(*read_session_token(self._secret, token), wanted, is_key=False)
        except BadToken as error:
            raise _no_good(str(error)) from error

    def of(self, shown: Credentials) -> Principal:
        """Raises as a call does."""
        with UnitOfWork(self._engine) as tx:
            if shown.is_key:
                return self._by_key(tx.connection, shown.id, shown.proof, shown.wanted)
            return self._by_session(tx.connection, shown.id, shown.proof, shown.wanted)

    def may_still_read(self, subject: str, project: str) -> bool:
        """Whether who was given something signed for `project` would be let into it now."""
        kind, _, found_id = subject.partition(":")
        with UnitOfWork(self._engine) as tx:
            if kind == "key":
                key = keys_repository.find(tx.connection, found_id)
                return key is not None and effective_role(key) is not None and _reaches(key, project)
            person = users_repository.person(tx.connection, found_id)
            return person is not None and (person.platform or project in person.roles)

    def _by_key(self, conn: Connection, key_id: str, secret: str, wanted: str | None) -> Principal:
        key = keys_repository.find(conn, key_id)
        if key is None or not api_keys.is_right(secret, key.digest):
            raise _no_good("The API key is not valid: unknown, revoked or expired.")
        role = effective_role(key)
        if role is None:
            raise _no_good("The API key is not valid: its maker is in the project no longer.")
        project, platform = wanted or key.project, key.platform and key.user_platform
        if project != key.project:
            if not (_reaches(key, project) and users_repository.project_exists(conn, project)):
                raise _not_yours()
            role = Role.ADMIN
        keys_repository.note_use(conn, key.id)
        return Principal(f"key:{key.id}", key.user, role, project, platform, key.user_id)

    def _by_session(self, conn: Connection, user_id: str, session_id: str, wanted: str | None) -> Principal:
        person = users_repository.person(conn, user_id)
        if person is None or sessions_repository.user_of(conn, session_id) != user_id:
            raise _no_good("The session has ended.")
        project = wanted or _only_project(person)
        subject = f"user:{person.id}"
        if project is None:
            return Principal(subject, person.name, None, NOBODY, person.platform, person.id)
        role = Role.ADMIN if person.platform else person.roles.get(project)
        if role is None or not (project in person.roles or users_repository.project_exists(conn, project)):
            raise _not_yours()
        return Principal(subject, person.name, role, project, person.platform, person.id)


def _reaches(key: FoundKey, project: str) -> bool:
    return project == key.project or (key.platform and key.user_platform)


def effective_role(key: FoundKey) -> Role | None:
    """What a key may do now: no more than whoever made it, who may have less than then; None for nothing at all."""
    if key.user_platform:
        return key.role
    return lesser(key.role, key.member_role) if key.member_role is not None else None


def _only_project(person: Person) -> str | None:
    """Where a request goes that names no project; None where several are possible."""
    if len(person.roles) == 1:
        return next(iter(person.roles))
    return LOCAL if person.platform else None


def _no_good(message: str) -> Unauthenticated:
    return Unauthenticated(message, hint="Log in again, or use another key.")


def _not_yours() -> Forbidden:
    """The same for one that there is not."""
    return Forbidden(
        "The request names a project that is not yours.", hint="GET /api/auth/whoami lists those that are."
    )
