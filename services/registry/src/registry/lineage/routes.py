"""`/api/models/<name>/lineage`."""

from __future__ import annotations

from kargah.contracts.models import LineageView
from kargah.web.api import Api
from registry.lineage.service import LineageService
from registry.models.routes import VersionQuery


def lineage_routes(api: Api, lineage: LineageService) -> None:
    """Add the route to `api`."""

    @api.get("/api/models/<path:name>/lineage", returns=LineageView, query=VersionQuery, tags=["models"])
    def get_lineage(name: str, query: VersionQuery) -> LineageView:
        """Where a version comes from, and what was made of it"""
        return lineage.view(name, query.version)
