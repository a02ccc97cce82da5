"""`/api/models/<name>/...`: links to files of models, and what they lead to."""

from __future__ import annotations

from flask import Response, request
from pydantic import Field

from gateway.model_files import ModelFileService
from kargah.access.roles import Permission
from kargah.contracts.base import VersionNumber, WireRequest
from kargah.contracts.checkpoints import DownloadLink
from kargah.domain.names import VERSION_PATTERN
from kargah.web.api import Api

_TAGS = ["models"]


class LinkQuery(WireRequest):
    """`?version=2`, or an alias: `?version=production`; without it the latest."""

    version: str | None = Field(default=None, pattern=VERSION_PATTERN)


class SignedQuery(WireRequest):
    """As the link has it."""

    version: VersionNumber | None = None
    signature: str = Field(default="", max_length=2000)


def add_model_file_routes(api: Api, service: ModelFileService) -> None:
    """Beside what is passed on to the registry."""

    @api.post(
        "/api/models/<path:name>/files/<path:path>/link",
        returns=DownloadLink,
        query=LinkQuery,
        needs=Permission.READ,
        tags=_TAGS,
    )
    def link_model_file(name: str, path: str, query: LinkQuery) -> DownloadLink:
        """An address of a model's file for a browser, which cannot say who asks; good for five minutes."""
        return service.link(name, path, query.version)

    @api.get(
        "/api/models/<path:name>/signed-files/<path:path>",
        query=SignedQuery,
        other_statuses=(206, 304, 416),
        needs=Permission.SIGNED,
        produces="application/octet-stream",
        tags=_TAGS,
    )
    def download_signed_model_file(name: str, path: str, query: SignedQuery) -> Response:
        """A file of a model, by the link that was given out for it; ranges are served."""
        return service.signed_file(request, name, path, query.version, query.signature)
