"""`/hub/api/models` and `/hub/api/datasets`, as far as they are read."""

from __future__ import annotations

from flask import request

from kargah.access.roles import Permission
from kargah.domain.errors import Invalid
from kargah.web.api import Api, Reply
from registry.hub.endpoint import PREFIX, next_link
from registry.hub.query import flag, list_filter, number, offset
from registry.hub.reader import HubReader
from registry.hub.wire import CommitViews, RefsView, RepoInfo, RepoInfos, TreeEntries
from registry.mirror.service import Mirror
from registry.repos.values import MAIN

TAGS = ["hub"]
KINDS = f"{PREFIX}/api/<any(models,datasets):kind>"
REPOSITORY = f"{KINDS}/<path:name>"
_PAGE = 1000
_MOST_PATHS = 10_000
_FORM_BYTES = 8 << 20


def read_routes(api: Api, reader: HubReader, mirror: Mirror) -> None:
    """Add the routes to `api`. What `mirror` serves is kept before it is read here."""
    _info_routes(api, reader, mirror)
    _tree_routes(api, reader, mirror)
    _history_routes(api, reader, mirror)


def _info_routes(api: Api, reader: HubReader, mirror: Mirror) -> None:
    @api.get(KINDS, returns=RepoInfos, free_query=True, tags=TAGS)
    def list_repositories(kind: str) -> Reply:
        """Repositories, newest first; `search`, `author`, `filter`, `sort`, `limit`, `full`"""
        limit, start = number("limit", _PAGE, most=_PAGE), offset()
        found = reader.list(kind, list_filter(), offset=start, limit=limit + 1)
        headers = next_link(str(start + limit)) if len(found) > limit else {}
        return Reply(RepoInfos(list(found[:limit])), headers=headers)

    @api.get(REPOSITORY, returns=RepoInfo, free_query=True, tags=TAGS)
    def get_repository(kind: str, name: str) -> RepoInfo:
        """A repository at the head of `main`"""
        return reader.info(kind, name, mirror.pin(kind, name, MAIN), blobs=flag("blobs"))

    @api.get(f"{REPOSITORY}/revision/<path:revision>", returns=RepoInfo, free_query=True, tags=TAGS)
    def get_revision(kind: str, name: str, revision: str) -> RepoInfo:
        """A repository at a branch, a tag or a commit"""
        return reader.info(kind, name, mirror.pin(kind, name, revision, whole=True), blobs=flag("blobs"))


def _tree_routes(api: Api, reader: HubReader, mirror: Mirror) -> None:
    @api.get(f"{REPOSITORY}/tree/<path:place>", returns=TreeEntries, free_query=True, tags=TAGS)
    def get_tree(kind: str, name: str, place: str) -> Reply:
        """Files and folders at `revision/path`; `recursive` for all below it"""
        start = offset()
        found = reader.entries(kind, name, mirror.pin(kind, name, place), recursive=flag("recursive"))
        headers = next_link(str(start + _PAGE)) if len(found) > start + _PAGE else {}
        return Reply(TreeEntries(list(found[start : start + _PAGE])), headers=headers)

    @api.post(
        f"{REPOSITORY}/paths-info/<path:revision>",
        returns=TreeEntries,
        needs=Permission.READ,
        free_query=True,
        consumes="application/x-www-form-urlencoded",
        tags=TAGS,
    )
    def get_paths_info(kind: str, name: str, revision: str) -> TreeEntries:
        """Those of the `paths` of a form that a revision has"""
        pinned = mirror.pin(kind, name, revision, whole=True)
        return TreeEntries(list(reader.at_paths(kind, name, pinned, _paths())))


def _history_routes(api: Api, reader: HubReader, mirror: Mirror) -> None:
    @api.get(f"{REPOSITORY}/refs", returns=RefsView, free_query=True, tags=TAGS)
    def get_refs(kind: str, name: str) -> RefsView:
        """Branches and tags"""
        return mirror.refs(kind, name) or reader.refs(kind, name)

    @api.get(f"{REPOSITORY}/commits/<path:revision>", returns=CommitViews, free_query=True, tags=TAGS)
    def get_commits(kind: str, name: str, revision: str) -> CommitViews:
        """The commits of a revision, newest first"""
        return CommitViews(list(reader.commits(kind, name, mirror.pin(kind, name, revision, whole=True))))


def _paths() -> list[str]:
    request.max_form_memory_size = request.max_content_length = _FORM_BYTES
    paths = request.form.getlist("paths")
    if len(paths) > _MOST_PATHS:
        raise Invalid(f"At most {_MOST_PATHS} paths at once.")
    return paths
