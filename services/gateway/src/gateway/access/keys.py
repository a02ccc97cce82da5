"""API keys, as their routes need them."""

from __future__ import annotations

from datetime import timedelta

from gateway.access import keys_repository
from kargah.access.api_keys import new_key
from kargah.access.principal import Principal
from kargah.access.roles import PEOPLE, Permission, Role, lesser
from kargah.contracts.access import KeyCreate, KeyMade, KeyView
from kargah.contracts.base import Page
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, FieldError, Forbidden, NotFound


class Keys:
    """Of the request's project. Every call may raise Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def make(self, principal: Principal, create: KeyCreate) -> KeyMade:
        """Raises Forbidden for more than the principal's own rights, Conflict where nobody logs in."""
        if principal.user is None or principal.role is None:
            raise Conflict("Nobody logs in here: there is nobody to make a key for.", hint="`kargah up --auth`")
        role = _role(principal, create)
        with UnitOfWork(self._engine) as tx:
            key_id = principal.subject.removeprefix("key:")
            maker = keys_repository.find(tx.connection, key_id) if key_id != principal.subject else None
            made = new_key()
            view = keys_repository.insert_key(
                tx.connection,
                made,
                name=create.name,
                user_id=principal.user,
                project=principal.project,
                role=role,
                platform=create.platform,
                life=timedelta(days=create.days),
                maker=maker,
            )
        return KeyMade(**view.model_dump(), key=made.text)

    def list(self, principal: Principal) -> Page[KeyView]:
        """One's own; for an admin, everybody's."""
        user_id = None if principal.may(Permission.ADMIN) else principal.user
        with UnitOfWork(self._engine) as tx:
            items = keys_repository.listed(tx.connection, principal.project, user_id=user_id)
        return Page[KeyView](items=items, total=len(items))

    def revoke(self, principal: Principal, key_id: str) -> None:
        """One's own, or for an admin anybody's. Safe to repeat. Raises NotFound."""
        user_id = None if principal.may(Permission.ADMIN) else principal.user
        with UnitOfWork(self._engine) as tx:
            if not keys_repository.listed(tx.connection, principal.project, user_id=user_id, key_id=key_id):
                raise NotFound(f"There is no key {key_id[:100]!r}.", hint="`kargah keys list` shows them.")
            keys_repository.revoke(tx.connection, key_id)


def _role(principal: Principal, create: KeyCreate) -> Role:
    """What the key may do: no more than its maker."""
    own = principal.role
    assert own is not None
    wanted = create.role or own
    if wanted not in PEOPLE or lesser(wanted, own) != wanted:
        message = f"At most {own.value}, your own role in {principal.project}."
        raise Forbidden("The key would have more rights than you.", errors=[FieldError("role", message)])
    if create.platform and not principal.platform:
        message = "Only for those who look after the platform."
        raise Forbidden("The key would have more rights than you.", errors=[FieldError("platform", message)])
    return wanted
