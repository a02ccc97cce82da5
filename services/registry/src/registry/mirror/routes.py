"""`/api/hub/mirrors`: what is mirrored, and an end to it."""

from __future__ import annotations

from kargah.contracts.mirrors import MirrorList, MirrorView
from kargah.web.api import Api
from registry.mirror.repository import Mirrored
from registry.mirror.service import Mirror

_TAGS = ["hub"]


def mirror_routes(api: Api, mirror: Mirror) -> None:
    """Add the routes to `api`."""

    @api.get("/api/hub/mirrors", returns=MirrorList, tags=_TAGS)
    def list_mirrors() -> MirrorList:
        """Repositories that are mirrored from another hub, and how much of them is here"""
        return MirrorList(items=[_view(one) for one in mirror.mirrors()])

    @api.delete("/api/hub/mirrors/<any(models,datasets):kind>/<path:name>", status=204, tags=_TAGS)
    def drop_mirror(kind: str, name: str) -> None:
        """Drop a mirrored repository; its files go after their grace"""
        mirror.drop(kind, name)


def _view(one: Mirrored) -> MirrorView:
    return MirrorView(
        kind=one.repository.kind,
        id=one.repository.name,
        mirrored_from=one.repository.mirrored_from or "",
        commits=one.commits,
        files=one.files,
        size_bytes=one.whole,
        kept_files=one.kept_files,
        kept_bytes=one.kept,
        checked_at=one.checked_at,
    )
