"""Errors whose codes the Hub's clients know; `kargah.web.hub_errors` writes them as these read them."""

from __future__ import annotations

from http import HTTPStatus

from kargah.domain.errors import BadRequest, DomainError, NotFound


class RepoNotFound(NotFound):
    """No repository of that kind and name."""

    code = "RepoNotFound"


class RevisionNotFound(NotFound):
    """The repository has no such branch, tag or commit."""

    code = "RevisionNotFound"


class EntryNotFound(NotFound):
    """The commit has no such file or folder."""

    code = "EntryNotFound"


class NotSupported(BadRequest):
    """A part of the Hub that this one does not have (pull requests, say)."""

    code = "not_supported"


class StaleParent(DomainError):
    """The branch has moved on since the commit that the client built upon."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "stale_parent"
