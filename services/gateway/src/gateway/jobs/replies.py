"""What the routes of jobs share: operation ids, idempotency keys, the answer to a submission."""

from __future__ import annotations

import re
from collections.abc import Callable

from flask import request

from gateway.jobs.accepted import Accepted
from kargah.domain.errors import FieldError, Invalid
from kargah.web.api import Reply

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


def named(name: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """The same handler serves two addresses; each needs an operation id of its own."""

    def rename(handler: Callable[..., object]) -> Callable[..., object]:
        handler.__name__ = name
        return handler

    return rename


def accepted_reply(accepted: Accepted, prefix: str) -> Reply:
    """201 for a new job, 200 for one that the same request made before."""
    location = {"location": f"{prefix}/{accepted.job.id}"}
    return Reply(accepted.job, status=201 if accepted.created else 200, headers=location)


def idempotency_key() -> str | None:
    """The request's header. Raises Invalid."""
    key = request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        message = "1 to 200 visible ASCII characters, without spaces."
        raise Invalid("The Idempotency-Key is not acceptable.", errors=[FieldError("Idempotency-Key", message)])
    return key
