"""Users, projects and members, as their routes need them."""

from __future__ import annotations

from gateway.access import users_repository
from gateway.access.sessions import checked_hash
from kargah.access.principal import Principal
from kargah.access.roles import PEOPLE, Role
from kargah.contracts.access import (
    MemberSet,
    MemberView,
    ProjectView,
    UserCreate,
    UserUpdate,
    UserView,
)
from kargah.contracts.base import Page
from kargah.db.engine import Connection, Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import Conflict, FieldError, Invalid, NotFound
from kargah.domain.ids import new_id


class Accounts:
    """Every call may raise Unavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add_user(self, create: UserCreate) -> UserView:
        """Raises Invalid for a weak password or role, NotFound for the project, Conflict for a name that is taken."""
        hashed, user_id = checked_hash(create.password, create.name, "password"), new_id("usr")
        with UnitOfWork(self._engine) as tx:
            if not users_repository.add_user(tx.connection, user_id, create.name, hashed, create.platform):
                raise Conflict(f"There is a user {create.name} already.")
            if create.project is not None:
                need_project(tx.connection, create.project)
                users_repository.set_member(tx.connection, create.project, user_id, _of_people(create.role))
            return users_repository.list_users(tx.connection, create.name)[0]

    def update_user(self, name: str, update: UserUpdate) -> UserView:
        """Raises NotFound, Invalid, Conflict where nobody would be left to look after the platform."""
        hashed = checked_hash(update.password, name, "password") if update.password is not None else None
        with UnitOfWork(self._engine) as tx:
            admins = users_repository.platform_admins(tx.connection)
            user = _need_user(tx.connection, name)
            if (update.disabled or update.platform is False) and list(admins) == [user.id]:
                raise Conflict(f"{name} is the last one who looks after the platform.", hint="Name another one first.")
            users_repository.set_user(
                tx.connection, user.id, disabled=update.disabled, platform=update.platform, hashed=hashed
            )
            return _need_user(tx.connection, name)

    def users(self) -> Page[UserView]:
        """All, by name."""
        with UnitOfWork(self._engine) as tx:
            items = users_repository.list_users(tx.connection)
        return Page[UserView](items=items, total=len(items))

    def add_project(self, name: str) -> ProjectView:
        """Raises Conflict, Invalid."""
        if ".." in name:
            raise Invalid("The name is not acceptable.", errors=[FieldError("name", "No two dots in a row.")])
        with UnitOfWork(self._engine) as tx:
            if not users_repository.add_project(tx.connection, name):
                raise Conflict(f"There is a project {name} already.")
            return users_repository.list_projects(tx.connection, [name])[0]

    def projects(self, principal: Principal) -> Page[ProjectView]:
        """Those that the principal may name: all for who looks after the platform."""
        roles = self.roles(principal)
        with UnitOfWork(self._engine) as tx:
            items = users_repository.list_projects(tx.connection, None if principal.platform else list(roles))
        shown = [one.model_copy(update={"role": roles.get(one.name)}) for one in items]
        return Page[ProjectView](items=shown, total=len(shown))

    def roles(self, principal: Principal) -> dict[str, Role]:
        """The person's projects; a key has its own alone."""
        if principal.user is None:
            return {}
        if principal.subject.startswith("key:") and principal.role is not None:
            return {principal.project: principal.role}
        with UnitOfWork(self._engine) as tx:
            person = users_repository.person(tx.connection, principal.user)
        return dict(person.roles) if person is not None else {}

    def members(self, principal: Principal, project: str) -> Page[MemberView]:
        """Raises NotFound, also for a project that is not the principal's."""
        with UnitOfWork(self._engine) as tx:
            _need_own(tx.connection, principal, project)
            items = users_repository.members(tx.connection, project)
        return Page[MemberView](items=items, total=len(items))

    def set_member(self, principal: Principal, project: str, name: str, member: MemberSet) -> MemberView:
        """Raises NotFound, Invalid."""
        role = _of_people(member.role)
        with UnitOfWork(self._engine) as tx:
            _need_own(tx.connection, principal, project)
            users_repository.set_member(tx.connection, project, _need_user(tx.connection, name).id, role)
        return MemberView(user=name, role=role)

    def remove_member(self, principal: Principal, project: str, name: str) -> None:
        """Raises NotFound."""
        with UnitOfWork(self._engine) as tx:
            _need_own(tx.connection, principal, project)
            if not users_repository.remove_member(tx.connection, project, _need_user(tx.connection, name).id):
                raise NotFound(f"{name} is no member of {project}.")


def _need_own(conn: Connection, principal: Principal, project: str) -> None:
    if not principal.platform and principal.project != project:
        raise _no_project(project)
    need_project(conn, project)


def need_project(conn: Connection, project: str) -> None:
    """Raises NotFound."""
    if not users_repository.project_exists(conn, project):
        raise _no_project(project)


def _need_user(conn: Connection, name: str) -> UserView:
    found = users_repository.list_users(conn, name)
    if not found:
        raise NotFound(f"There is no user {name[:100]!r}.", hint="`kargah users list` shows those there are.")
    return found[0]


def _no_project(project: str) -> NotFound:
    return NotFound(f"There is no project {project[:100]!r}.", hint="`kargah projects list` shows yours.")


def _of_people(role: Role) -> Role:
    if role not in PEOPLE:
        raise Invalid("The role is not acceptable.", errors=[FieldError("role", "One of viewer, trainer, admin.")])
    return role
