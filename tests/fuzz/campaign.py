"""Requests made from a service's own OpenAPI document, good and bad, until the time is over.

Every answer must be one that the document describes, and none a failure of the service.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]
# The Hub's protocol has bodies and errors of its own: see hub_campaign.
_HUB = "/hub/"
_EXAMPLES = 8
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Target:
    """A running service. `known`: for path parameters, values of things that are there, of which deletions get only the
    last; `bodies`: by operation id, bodies that are nearly right; `authorization`: what says who asks."""

    url: str
    known: Mapping[str, Sequence[str]]
    bodies: Mapping[str, Sequence[Any]]
    authorization: Callable[[], str]


@dataclass
class Report:
    """What was sent, what it was answered with, and what was wrong (each kind once, with how to send it again)."""

    sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, other: Report) -> None:
        """Take in what another run came to."""
        self.sent += other.sent
        self.statuses += other.statuses
        self.failures |= other.failures


@dataclass(frozen=True)
class Span:
    """How long to go on: until the time is over, and never with fewer requests sent: a slow machine tests no less."""

    seconds: float
    fewest: int = 0
    begun: float = field(default_factory=time.monotonic)

    def is_over(self, report: Report) -> bool:
        """True once both are reached."""
        return time.monotonic() > self.begun + self.seconds and sum(report.sent.values()) >= self.fewest


def fuzz(targets: Sequence[Target], span: Span, first_seed: int) -> Report:
    """Round after round over every operation of every target; the same seed sends the same requests."""
    operations = [(target, operation) for target in targets for operation in _operations(target)]
    report = Report()
    with requests.Session() as session:
        session.trust_env = False
        for number in count(first_seed):
            for target, operation in operations:
                if span.is_over(report):
                    return report
                _try(target, operation, session, number, report, span)
    return report


def _operations(target: Target) -> list[Any]:
    document = requests.get(f"{target.url}/openapi.json", timeout=_TIMEOUT).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=target.url)  # also of requests that checks send by themselves
    operations = [found.ok() for found in schema.get_all_operations()]
    return [operation for operation in operations if not operation.path.startswith(_HUB)]


def _try(target: Target, operation: Any, session: requests.Session, number: int, report: Report, span: Span) -> None:
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @seed(number)
    @settings(
        max_examples=_EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(st.one_of(modes), st.data())
    def send(case: Case, data: st.DataObject) -> None:
        if not span.is_over(report):
            _steer(case, target, data)
            _judge(case, target, session, report)

    send()


def _steer(case: Case, target: Target, data: st.DataObject) -> None:
    """Now and then a name that exists and a body that is nearly right: most else ends in a 404 or a 422."""
    for name in list(case.path_parameters or {}):
        known = target.known.get(name, ())[-1 if case.method == "DELETE" else 0 :]
        if known and data.draw(st.integers(0, 3)):
            case.path_parameters[name] = data.draw(st.sampled_from(known))
    bodies = target.bodies.get(str(case.operation.definition.raw.get("operationId")), ())
    if bodies and data.draw(st.booleans()):
        case.body = data.draw(st.sampled_from(bodies))


def _judge(case: Case, target: Target, session: requests.Session, report: Report) -> None:
    name = f"{case.method} {case.path}"
    report.sent[name] += 1
    try:
        who = {"Authorization": target.authorization()}
        sending: dict[str, Any] = {"session": session, "timeout": _TIMEOUT, "allow_redirects": False}
        response = case.call(base_url=target.url, headers=who, **sending)
        report.statuses[response.status_code] += 1
        case.validate_response(response, checks=_CHECKS, headers=who, transport_kwargs=sending)
    except FailureGroup as group:
        for failure in group.exceptions:
            _note(report, name, failure)
    except (Failure, requests.RequestException) as failure:
        _note(report, name, failure)


def _note(report: Report, name: str, failure: BaseException) -> None:
    title = getattr(failure, "title", type(failure).__name__)
    notes = "\n".join(getattr(failure, "__notes__", []))
    report.failures.setdefault(f"{name}: {title}", f"{failure}\n{notes}"[:3000])
