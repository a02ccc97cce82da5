"""`/api/hub`: the upstream hub, before anything is installed from it."""

from __future__ import annotations

from pydantic import Field

from kargah.contracts.base import WireRequest
from kargah.contracts.upstream import HubModelView, HubSearch
from kargah.web.api import Api
from registry.upstream.service import UpstreamService

_TAGS = ["hub"]


class SearchQuery(WireRequest):
    """`q` in names of models."""

    q: str = Field(min_length=1, max_length=200)
    limit: int = Field(default=20, ge=1, le=100)


class RevisionQuery(WireRequest):
    """A branch, a tag or a commit; without it the main branch."""

    revision: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$")


def upstream_routes(api: Api, upstream: UpstreamService) -> None:
    """Add the routes to `api`."""

    @api.get("/api/hub/search", returns=HubSearch, query=SearchQuery, tags=_TAGS)
    def search_hub(query: SearchQuery) -> HubSearch:
        """Models of the upstream hub whose name matches, the most downloaded first"""
        return upstream.search(query.q, query.limit)

    @api.get("/api/hub/models/<path:repo>", returns=HubModelView, query=RevisionQuery, tags=_TAGS)
    def get_hub_model(repo: str, query: RevisionQuery) -> HubModelView:
        """A model of the upstream hub: files, sizes, licence, and whether it can be installed"""
        return upstream.model(repo, query.revision)
