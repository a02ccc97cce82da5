"""Whose a new job is, and how soon it may go: what a request says, as far as its sender may say so."""

from __future__ import annotations

from kargah.access.principal import current_principal
from kargah.access.roles import Permission
from kargah.contracts.jobs import JobView, QueuedRequest
from kargah.domain.errors import FieldError, Forbidden
from kargah.domain.scope import EVERY, current_project


def owner_of(like: QueuedRequest | JobView) -> str:
    """The project of the request; where nobody logs in, whatever was asked for. Raises Forbidden for another one."""
    project = current_project()
    if project == EVERY:
        return like.owner
    if like.owner != project and "owner" in like.model_fields_set:
        message = f"Must be {project}, the project of this request, or be left out."
        raise Forbidden("A job is of the project that it is queued in.", errors=[FieldError("owner", message)])
    return project


def priority_of(like: QueuedRequest | JobView) -> int:
    """What was asked for; only an admin goes before the others. A job like an urgent one is not urgent itself.

    Raises Forbidden.
    """
    if like.priority <= 0 or current_principal().may(Permission.ADMIN):
        return like.priority
    if isinstance(like, JobView):
        return 0
    message = "At most 0, unless you are an admin of the project."
    raise Forbidden("The job may not go before others.", errors=[FieldError("priority", message)])
