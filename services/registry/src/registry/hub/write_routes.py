"""`/hub/api/repos/...`, settings, branches and tags; who asks; whether a card can be read."""

from __future__ import annotations

import json

from flask import Response

from kargah.access.principal import current_principal
from kargah.access.roles import Permission
from kargah.domain.errors import Invalid
from kargah.domain.scope import EVERY, current_project
from kargah.web.api import Api, Reply
from registry.hub.endpoint import PREFIX, below
from registry.hub.errors import NotSupported
from registry.hub.names import USER, kind_of
from registry.hub.read_routes import REPOSITORY, TAGS
from registry.hub.wire import (
    BranchCreate,
    RepoCreated,
    RepoMove,
    RepoName,
    RepoSettings,
    TagCreate,
    WhoAmI,
    YamlCheck,
    YamlProblem,
    YamlVerdict,
)
from registry.hub.writer import HubWriter
from registry.repos.card import BadCard, front_matter

_CARD_BYTES = 2 << 20


def write_routes(api: Api, writer: HubWriter) -> None:
    """Add the routes to `api`."""
    _repository_routes(api, writer)
    _settings_routes(api, writer)
    _branch_routes(api, writer)
    _tag_routes(api, writer)
    _other_routes(api)


def _repository_routes(api: Api, writer: HubWriter) -> None:
    @api.post(
        f"{PREFIX}/api/repos/create",
        returns=RepoCreated,
        body=RepoName,
        free_query=True,
        other_statuses=(409,),
        tags=TAGS,
    )
    def create_repository(body: RepoName) -> RepoCreated | Response:
        """Make a repository; 409 when it is there, with its address all the same"""
        found, made = writer.create(kind_of(body.type), _name(body), private=body.hidden)
        created = RepoCreated(url=below(found.path), name=found.name, id=found.id)
        return created if made else _taken(created)

    @api.delete(f"{PREFIX}/api/repos/delete", body=RepoName, status=204, free_query=True, tags=TAGS)
    def delete_repository(body: RepoName) -> None:
        """Delete a repository; refused for a model that others were trained on"""
        writer.delete(kind_of(body.type), _name(body, new=False))

    @api.post(f"{PREFIX}/api/repos/move", body=RepoMove, status=204, free_query=True, tags=TAGS)
    def move_repository(body: RepoMove) -> None:
        """Give a repository another name"""
        writer.move(kind_of(body.type), body.from_repo, body.to_repo)


def _settings_routes(api: Api, writer: HubWriter) -> None:
    @api.put(f"{REPOSITORY}/settings", body=RepoSettings, status=204, free_query=True, tags=TAGS)
    def update_settings(kind: str, name: str, body: RepoSettings) -> None:
        """Change the visibility"""
        if body.gated:
            raise NotSupported("Access requests (`gated`) are not kept here.")
        if body.visibility not in (None, "public", "private"):
            raise Invalid("The visibility is `public` or `private`.")
        hidden = body.visibility == "private" if body.visibility else body.private
        if hidden is not None:
            writer.set_private(kind, name, hidden)


def _branch_routes(api: Api, writer: HubWriter) -> None:
    address = f"{REPOSITORY}/branch/<path:branch>"

    @api.post(address, body=BranchCreate, optional_body=True, status=204, free_query=True, tags=TAGS)
    def create_branch(kind: str, name: str, branch: str, body: BranchCreate) -> None:
        """Begin a branch at a revision"""
        writer.create_branch(kind, name, branch, body.starting_point, empty=body.empty_branch)

    @api.delete(address, status=204, free_query=True, tags=TAGS)
    def delete_branch(kind: str, name: str, branch: str) -> None:
        """Remove a branch other than `main`"""
        writer.delete_branch(kind, name, branch)


def _tag_routes(api: Api, writer: HubWriter) -> None:
    @api.post(f"{REPOSITORY}/tag/<path:ref>", body=TagCreate, status=204, free_query=True, tags=TAGS)
    def create_tag(kind: str, name: str, ref: str, body: TagCreate) -> None:
        """Tag a revision"""
        writer.create_tag(kind, name, body.tag, ref)

    @api.delete(f"{REPOSITORY}/tag/<path:ref>", status=204, free_query=True, tags=TAGS)
    def delete_tag(kind: str, name: str, ref: str) -> None:
        """Remove a tag"""
        writer.delete_tag(kind, name, ref)


def _other_routes(api: Api) -> None:
    @api.get(f"{PREFIX}/api/whoami-v2", returns=WhoAmI, free_query=True, tags=TAGS)
    def who_am_i() -> WhoAmI:
        """The project, whose repositories are `project/name`, and the person who asks"""
        project, person = _namespace(), current_principal().name
        return WhoAmI(id=project, name=project, fullname=person, email=f"{person}@localhost")

    @api.post(
        f"{PREFIX}/api/validate-yaml",
        returns=YamlVerdict,
        needs=Permission.READ,
        body=YamlCheck,
        body_limit=_CARD_BYTES,
        other_statuses=(400,),
        free_query=True,
        tags=TAGS,
    )
    def validate_yaml(body: YamlCheck) -> Reply:
        """Whether the front matter of a README can be read"""
        try:
            front_matter(body.content)
        except BadCard as error:
            return Reply(YamlVerdict(errors=[YamlProblem(message=str(error))]), status=400)
        return Reply(YamlVerdict())


def _name(body: RepoName, *, new: bool = True) -> str:
    """A new repository always has an owner: clients cannot read addresses of ones without."""
    if body.organization:
        return f"{body.organization}/{body.name}"
    return f"{_namespace()}/{body.name}" if new and "/" not in body.name else body.name


def _namespace() -> str:
    """What stands before the slash where a client leaves it out: the project."""
    project = current_project()
    return USER if project == EVERY else project


def _taken(created: RepoCreated) -> Response:
    """The client reads the address of a refusal, too."""
    message = f"You already created this repository: {created.name}"
    body = json.dumps({"error": message, "url": created.url, "name": created.name})
    return Response(body, status=409, content_type="application/json", headers={"x-error-message": message})
