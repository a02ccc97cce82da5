"""`/api/models/<name>/aliases` and `/api/models/<name>/tags`."""

from __future__ import annotations

from kargah.contracts.base import Page
from kargah.contracts.models import AliasMove, AliasView, ModelVersionView, TagsChange
from kargah.web.api import Api
from registry.labels.service import LabelService
from registry.models.routes import VersionQuery

_TAGS = ["models"]


def label_routes(api: Api, labels: LabelService) -> None:
    """Add the routes to `api`."""

    @api.get("/api/models/<path:name>/aliases", returns=Page[AliasView], tags=_TAGS)
    def list_aliases(name: str) -> Page[AliasView]:
        """The aliases of a model's versions"""
        return labels.aliases(name)

    @api.put("/api/models/<path:name>/aliases/<alias>", returns=AliasView, body=AliasMove, tags=_TAGS)
    def move_alias(name: str, alias: str, body: AliasMove) -> AliasView:
        """Point an alias to a version, at once; the answer tells where it pointed before"""
        return labels.move(name, alias, body)

    @api.delete("/api/models/<path:name>/aliases/<alias>", status=204, tags=_TAGS)
    def delete_alias(name: str, alias: str) -> None:
        """Remove an alias; the version stays"""
        labels.remove(name, alias)

    @api.patch(
        "/api/models/<path:name>/tags", returns=ModelVersionView, body=TagsChange, query=VersionQuery, tags=_TAGS
    )
    def change_tags(name: str, body: TagsChange, query: VersionQuery) -> ModelVersionView:
        """Put tags on a version, and take others off"""
        return labels.change_tags(name, query.version, body)
