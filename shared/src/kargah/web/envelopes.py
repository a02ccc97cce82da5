"""How an error looks on the wire. `/api` speaks problem+json; another prefix may speak its own dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kargah.contracts.problem import Problem


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """An error ready to be sent. `status` may differ from the problem's where a dialect maps it."""

    status: int
    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Envelope(Protocol):
    """Shapes one problem; given to `create_app(envelopes={"/v1/": openai_error})` for a URL prefix."""

    def __call__(self, problem: Problem) -> ErrorBody: ...


def problem_json(problem: Problem) -> ErrorBody:
    """RFC 9457, the envelope of everything that has no other."""
    body = problem.model_dump_json(by_alias=True, exclude_none=True).encode()
    return ErrorBody(problem.status, "application/problem+json", body)


def choose(path: str, envelopes: Mapping[str, Envelope]) -> Envelope:
    """The envelope with the longest prefix of `path`, else problem+json."""
    fitting = [prefix for prefix in envelopes if path.startswith(prefix)]
    return envelopes[max(fitting, key=len)] if fitting else problem_json
