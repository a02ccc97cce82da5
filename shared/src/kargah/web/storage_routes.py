"""Routes of a service that keeps bytes for projects: how much each has and may have."""

from __future__ import annotations

from kargah.access.principal import current_principal
from kargah.access.roles import Permission
from kargah.contracts.base import Page
from kargah.contracts.storage import StorageLimit, StorageView
from kargah.db.engine import Engine
from kargah.db.storage_quota import StorageQuota
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import FieldError, Invalid
from kargah.domain.names import is_name
from kargah.domain.scope import EVERY, current_project, project_scope
from kargah.web.api import Api

_TAGS = ["storage"]


def add_storage_routes(api: Api, engine: Engine, quota: StorageQuota, what: str) -> None:
    """`/api/storage/<what>`; `what`: datasets or models."""

    @api.get(f"/api/storage/{what}", returns=Page[StorageView], tags=_TAGS)
    def show_storage() -> Page[StorageView]:
        """Bytes that the project keeps, and how many it may; of all projects for those who look after the platform."""
        with project_scope(EVERY if current_principal().platform else current_project()), UnitOfWork(engine) as tx:
            items = quota.views(tx.connection)
        return Page[StorageView](items=items, total=len(items))

    @api.put(
        f"/api/storage/{what}/<project>",
        returns=StorageView,
        body=StorageLimit,
        needs=Permission.PLATFORM,
        tags=_TAGS,
    )
    def limit_storage(project: str, body: StorageLimit) -> StorageView:
        """Limit the bytes that a project keeps; what there is stays."""
        if not is_name(project):
            message = "Letters, digits, `.`, `_` and `-`, at most 96 of them."
            raise Invalid("The project is not acceptable.", errors=[FieldError("project", message)])
        with project_scope(EVERY), UnitOfWork(engine) as tx:
            return quota.set(tx.connection, project, body.max_bytes)
