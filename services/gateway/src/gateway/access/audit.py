"""`GET /api/audit`."""

from __future__ import annotations

from pydantic import Field

from gateway.access import audit_repository
from kargah.access.principal import current_principal
from kargah.access.roles import Permission
from kargah.contracts.access import AuditEntry
from kargah.contracts.base import Page, Timestamp
from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.scope import EVERY
from kargah.web.api import Api
from kargah.web.paging import PageQuery, bad_cursor, decode_cursor, encode_cursor

_LONGEST = 200


class AuditQuery(PageQuery):
    """`status`: 403, or 4 for all of the four hundreds. `everywhere`: of all projects, for who looks after them."""

    name: str | None = Field(default=None, max_length=_LONGEST)
    operation: str | None = Field(default=None, max_length=_LONGEST)
    status: int | None = Field(default=None, ge=1, le=599)
    since: Timestamp | None = None
    everywhere: bool = False


def add_audit_routes(api: Api, engine: Engine) -> None:
    """The record, for admins."""

    @api.get("/api/audit", query=AuditQuery, returns=Page[AuditEntry], needs=Permission.ADMIN, tags=["access"])
    def list_audit(query: AuditQuery) -> Page[AuditEntry]:
        """What was changed in the project and what was refused, newest first."""
        me = current_principal()
        everywhere = me.project == EVERY or (query.everywhere and me.platform)
        items = _read(engine, query, None if everywhere else me.project)
        shown = items[: query.limit]
        further = encode_cursor(str(shown[-1].id)) if len(items) > query.limit else None
        return Page[AuditEntry](items=shown, next_cursor=further)


def _read(engine: Engine, query: AuditQuery, project: str | None) -> list[AuditEntry]:
    """One more than asked for, where there are more."""
    with UnitOfWork(engine) as tx:
        return audit_repository.page(
            tx.connection,
            project=project,
            name=query.name,
            operation=query.operation,
            status=query.status,
            since=query.since,
            before=_before(query.cursor),
            limit=query.limit + 1,
        )


def _before(cursor: str | None) -> int | None:
    """Ids go as text: the record may grow beyond what the numbers of a cursor hold."""
    if cursor is None:
        return None
    (text,) = decode_cursor(cursor, str)
    digits = str(text)
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 18):
        raise bad_cursor()
    return int(digits)
