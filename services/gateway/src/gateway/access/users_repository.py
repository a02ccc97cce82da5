"""Users, projects and who is in which."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from gateway.access.tables import memberships, projects, sessions, users
from gateway.access.values import Person
from kargah.access.roles import Role
from kargah.contracts.access import Membership, MemberView, ProjectView, UserView


def add_user(conn: Connection, user_id: str, name: str, password_hash: str, platform: bool) -> bool:
    """Whether the name was free."""
    values = {"id": user_id, "name": name, "password_hash": password_hash, "platform": platform}
    statement = insert(users).values(**values).on_conflict_do_nothing().returning(users.c.id)
    return conn.execute(statement).first() is not None


def add_first_user(conn: Connection, user_id: str, name: str, password_hash: str) -> bool:
    """Add somebody who looks after the platform, unless there is anybody yet. Whether it was done."""
    row = select(literal(user_id), literal(name), literal(password_hash), literal(True)).where(
        ~exists(select(users.c.id))
    )
    statement = insert(users).from_select(["id", "name", "password_hash", "platform"], row).on_conflict_do_nothing()
    return conn.execute(statement.returning(users.c.id)).first() is not None


def anybody_there(conn: Connection) -> bool:
    """Whether there is any user."""
    return conn.execute(select(exists(select(users.c.id)))).scalar_one()


def password_of(conn: Connection, name: str) -> tuple[str, str] | None:
    """Id and password hash of a user who may log in."""
    row = conn.execute(
        select(users.c.id, users.c.password_hash).where(users.c.name == name, users.c.disabled_at.is_(None))
    ).one_or_none()
    return (row.id, row.password_hash) if row is not None else None


def set_user(
    conn: Connection, user_id: str, *, disabled: bool | None, platform: bool | None, hashed: str | None
) -> None:
    """Change what is not None; sessions end with a new password and for the disabled."""
    changes: dict[str, object] = {}
    if disabled is not None:
        changes["disabled_at"] = func.coalesce(users.c.disabled_at, func.now()) if disabled else None
    if platform is not None:
        changes["platform"] = platform
    if hashed is not None:
        changes["password_hash"] = hashed
    if changes:
        conn.execute(update(users).where(users.c.id == user_id).values(**changes))
    if disabled or hashed is not None:
        conn.execute(delete(sessions).where(sessions.c.user_id == user_id))


def platform_admins(conn: Connection) -> Sequence[str]:
    """Ids of those who look after the platform and are not disabled; the rows stay locked, so that two who demote each
    other at once do not leave nobody."""
    statement = select(users.c.id).where(users.c.platform, users.c.disabled_at.is_(None)).with_for_update()
    return conn.execute(statement).scalars().all()


def list_users(conn: Connection, name: str | None = None) -> list[UserView]:
    """All, or the one of that name, with their projects."""
    statement = select(users).order_by(users.c.name)
    if name is not None:
        statement = statement.where(users.c.name == name)
    found = conn.execute(statement).all()
    places: dict[str, list[Membership]] = {}
    listed = select(memberships).where(memberships.c.user_id.in_([row.id for row in found]))
    for row in conn.execute(listed.order_by(memberships.c.project)):
        places.setdefault(row.user_id, []).append(Membership(project=row.project, role=row.role))
    return [
        UserView(
            id=row.id,
            name=row.name,
            platform=row.platform,
            disabled=row.disabled_at is not None,
            created_at=row.created_at,
            projects=places.get(row.id, []),
        )
        for row in found
    ]


def person(conn: Connection, user_id: str) -> Person | None:
    """A user who may come in."""
    statement = (
        select(users.c.id, users.c.name, users.c.platform, memberships.c.project, memberships.c.role)
        .select_from(users.outerjoin(memberships, memberships.c.user_id == users.c.id))
        .where(users.c.id == user_id, users.c.disabled_at.is_(None))
    )
    rows = conn.execute(statement).all()
    if not rows:
        return None
    roles = {row.project: Role(row.role) for row in rows if row.project is not None}
    return Person(rows[0].id, rows[0].name, rows[0].platform, roles)


def add_project(conn: Connection, name: str) -> bool:
    """Whether the name was free."""
    statement = insert(projects).values(name=name).on_conflict_do_nothing().returning(projects.c.name)
    return conn.execute(statement).first() is not None


def project_exists(conn: Connection, name: str) -> bool:
    return conn.execute(select(exists().where(projects.c.name == name))).scalar_one()


def list_projects(conn: Connection, among: Sequence[str] | None = None) -> list[ProjectView]:
    """All, or those `among`; without anybody's role."""
    count = select(func.count()).where(memberships.c.project == projects.c.name).scalar_subquery()
    statement = select(projects.c.name, projects.c.created_at, count.label("members")).order_by(projects.c.name)
    if among is not None:
        statement = statement.where(projects.c.name.in_(among))
    return [ProjectView.model_validate(dict(row._mapping)) for row in conn.execute(statement)]


def members(conn: Connection, project: str) -> list[MemberView]:
    """By name."""
    statement = (
        select(users.c.name.label("user"), memberships.c.role)
        .join(memberships, memberships.c.user_id == users.c.id)
        .where(memberships.c.project == project)
        .order_by(users.c.name)
    )
    return [MemberView.model_validate(dict(row._mapping)) for row in conn.execute(statement)]


def set_member(conn: Connection, project: str, user_id: str, role: Role) -> None:
    """Both must exist."""
    statement = insert(memberships).values(user_id=user_id, project=project, role=role.value)
    keys = [memberships.c.user_id, memberships.c.project]
    conn.execute(statement.on_conflict_do_update(index_elements=keys, set_={"role": role.value}))


def remove_member(conn: Connection, project: str, user_id: str) -> bool:
    """Whether there was one."""
    statement = delete(memberships).where(memberships.c.project == project, memberships.c.user_id == user_id)
    return conn.execute(statement).rowcount == 1
