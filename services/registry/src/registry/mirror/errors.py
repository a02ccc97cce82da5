"""What the upstream may say no to, and how that travels from whoever fetches to everyone who waits."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from kargah.domain.errors import DomainError, Forbidden, Unavailable
from registry.hub.errors import EntryNotFound, RepoNotFound, RevisionNotFound


class GatedRepo(Forbidden):
    """The upstream wants its licence accepted first, by the owner of the registry's token."""

    code = "GatedRepo"


class UpstreamAway(Unavailable):
    """The upstream does not answer, or not as it should, and what was asked for is not kept here."""

    code = "upstream_away"


class WrongBytes(DomainError):
    """The upstream sent other bytes than it announced; nothing of them is kept."""

    status = HTTPStatus.BAD_GATEWAY
    code = "wrong_hash"


_KINDS: tuple[type[DomainError], ...] = (
    GatedRepo,
    RepoNotFound,
    RevisionNotFound,
    EntryNotFound,
    Forbidden,
    WrongBytes,
    UpstreamAway,
)


def written(error: DomainError) -> dict[str, str | None]:
    """The error as the database keeps it."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def read(kept: Mapping[str, Any]) -> DomainError:
    """The error again; of an unknown kind, UpstreamAway."""
    kind = next((kind for kind in _KINDS if kind.code == kept.get("code")), UpstreamAway)
    return kind(str(kept.get("message")), hint=kept.get("hint"))
