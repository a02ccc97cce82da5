"""API keys."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, RowMapping, and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.access.tables import api_keys, memberships, users
from gateway.access.values import FoundKey
from kargah.access.api_keys import NewKey
from kargah.access.roles import Role
from kargah.contracts.access import KeyView

_GOOD = and_(api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > func.now(), users.c.disabled_at.is_(None))
_NOTED_EVERY = timedelta(minutes=1)


def find(conn: Connection, key_id: str) -> FoundKey | None:
    """A key that may be used, if its secret is right; in one statement, for it runs with every request."""
    member = and_(memberships.c.user_id == api_keys.c.user_id, memberships.c.project == api_keys.c.project)
    statement = (
        select(
            api_keys.c.id,
            api_keys.c.digest,
            api_keys.c.user_id,
            users.c.name.label("user"),
            users.c.platform.label("user_platform"),
            api_keys.c.project,
            api_keys.c.role,
            api_keys.c.platform,
            memberships.c.role.label("member_role"),
            api_keys.c.expires_at,
        )
        .join(users, users.c.id == api_keys.c.user_id)
        .outerjoin(memberships, member)
        .where(api_keys.c.id == key_id, _GOOD)
    )
    row = conn.execute(statement).one_or_none()
    if row is None:
        return None
    member_role = Role(row.member_role) if row.member_role is not None else None
    return FoundKey(**{**row._mapping, "role": Role(row.role), "member_role": member_role})


def note_use(conn: Connection, key_id: str) -> None:
    """When it was used last, to the minute."""
    stale = or_(api_keys.c.last_used_at.is_(None), api_keys.c.last_used_at < func.now() - _NOTED_EVERY)
    conn.execute(update(api_keys).where(api_keys.c.id == key_id, stale).values(last_used_at=func.now()))


def insert_key(
    conn: Connection,
    key: NewKey,
    *,
    name: str,
    user_id: str,
    project: str,
    role: Role,
    platform: bool,
    life: timedelta,
    maker: FoundKey | None,
) -> KeyView:
    """Keep a new key; one that a key makes ends with it at the latest."""
    ends: object = func.now() + life
    if maker is not None:
        ends = func.least(ends, maker.expires_at)
    values = {
        "id": key.id,
        "digest": key.digest,
        "name": name,
        "user_id": user_id,
        "project": project,
        "role": role.value,
        "platform": platform,
        "made_by": maker.id if maker is not None else None,
        "expires_at": ends,
    }
    conn.execute(insert(api_keys).values(**values))
    return listed(conn, project, key_id=key.id)[0]


def listed(conn: Connection, project: str, *, user_id: str | None = None, key_id: str | None = None) -> list[KeyView]:
    """Those of a project, newest first: of everybody or of one user, all or one."""
    statement = (
        select(api_keys, users.c.name.label("user"))
        .join(users, users.c.id == api_keys.c.user_id)
        .where(api_keys.c.project == project)
        .order_by(api_keys.c.created_at.desc(), api_keys.c.id)
    )
    if user_id is not None:
        statement = statement.where(api_keys.c.user_id == user_id)
    if key_id is not None:
        statement = statement.where(api_keys.c.id == key_id)
    return [_view(row._mapping) for row in conn.execute(statement)]


def revoke(conn: Connection, key_id: str) -> None:
    """It, and the keys that were made with it."""
    gone = select(api_keys.c.id).where(api_keys.c.id == key_id).cte(recursive=True)
    gone = gone.union(select(api_keys.c.id).join(gone, api_keys.c.made_by == gone.c.id))
    now: object = func.coalesce(api_keys.c.revoked_at, func.now())
    conn.execute(update(api_keys).where(api_keys.c.id.in_(select(gone.c.id))).values(revoked_at=now))


def _view(row: RowMapping) -> KeyView:
    fields = dict(row)
    return KeyView.model_validate({name: fields[name] for name in KeyView.model_fields})
