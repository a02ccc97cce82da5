"""Errors that users may see. Each has an HTTP status, a stable code, and says what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong in the input: `field` as the caller spelled it (`config.epochs`); for files, where it stands."""

    field: str
    message: str
    code: str = "invalid"
    line: int | None = None
    byte_offset: int | None = None


@dataclass
class DomainError(Exception):
    """Base of every error that crosses a service's edge as problem+json.

    `message` says what happened and where; `hint` says what to do about it. `total_errors`: how many problems there
    are where `errors` holds only the first; `rows`: in how many rows of a file. `extra` is for code that catches it,
    not for the wire.
    """

    message: str
    hint: str | None = None
    errors: list[FieldError] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)
    total_errors: int | None = None
    rows: int | None = None

    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR
    code: ClassVar[str] = "internal"
    expected: ClassVar[bool] = False  # nobody needs to know where in the code it was raised

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"


class BadRequest(DomainError):
    """The request cannot be read at all (broken JSON, broken multipart)."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"


class Unauthenticated(DomainError):
    """Nobody knows who is asking: no credentials, or wrong, expired or revoked ones."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthenticated"


class NotFound(DomainError):
    """No such thing, or not the caller's."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class Gone(DomainError):
    """It was there once and was removed."""

    status = HTTPStatus.GONE
    code = "gone"


class Conflict(DomainError):
    """It exists already, or its state does not allow this."""

    status = HTTPStatus.CONFLICT
    code = "conflict"


class TooLarge(DomainError):
    """The body is over the limit; nothing of it was kept."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "too_large"


class TooSlow(DomainError):
    """The body trickles in; nothing of it was kept."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "too_slow"


class UnsupportedMedia(DomainError):
    """A kind of file that is not accepted (pickled weights, say)."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"


class Invalid(DomainError):
    """Read, understood, and not acceptable: `errors` names each field."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "invalid"


class Forbidden(DomainError):
    """Not allowed for this caller."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class TooMany(DomainError):
    """Too many requests; `extra["seconds"]` says after how long another may come."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_requests"


class OverQuota(TooMany):
    """The project has as much as it may have; `message` says how much of what."""

    code = "over_quota"


class Unavailable(DomainError):
    """Something this service needs does not answer; trying again may help."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"


class Busy(Unavailable):
    """As much is under way as can be; `extra["seconds"]` says after how long to ask again."""

    code = "busy"
    expected = True


class StaleAttempt(Conflict):
    """The attempt that writes no longer owns the job: its generation is past, or the job has ended."""

    code = "stale_attempt"
