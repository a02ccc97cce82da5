"""Requests made from a service's own OpenAPI document, good and bad, until the time is over.

Every answer must be one that the document describes, and none a failure of the service.
"""

from __future__ import annotations

import random
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
_STREAM = "text/event-stream"
_EXAMPLES = 8
_TIMEOUT = 30.0


@dataclass(frozen=True)
class Target:
    """A running service. `known`: for path parameters, values of things that are there, of which deletions get only the
    last, and streams of events the first, whose end must have come; `bodies`: by operation id, bodies that are nearly
    right; `fields`: likewise, for the fields of other bodies; `authorization`: what says who asks. `mine`: which
    operations of the document are this target's, by their ids; `tidy` is called before each round."""

    name: str
    url: str
    known: Mapping[str, Sequence[str]]
    bodies: Mapping[str, Sequence[Any]]
    authorization: Callable[[], str]
    fields: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)
    mine: Callable[[str], bool] = lambda operation_id: True
    tidy: Callable[[], None] = lambda: None


@dataclass
class Report:
    """What was sent, what it was answered with, and what was wrong (each kind once, with how to send it again)."""

    sent: Counter[str] = field(default_factory=Counter)
    services: Counter[str] = field(default_factory=Counter)
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, other: Report) -> None:
        """Take in what another run came to."""
        self.sent += other.sent
        self.services += other.services
        self.answers += other.answers
        self.failures |= other.failures

    def statuses(self, name: str | None = None) -> Counter[int]:
        """How often each answer came, to the requests of one name or to all."""
        found: Counter[int] = Counter()
        for (asked, status), number in self.answers.items():
            found[status] += number if name in (asked, None) else 0
        return +found


@dataclass(frozen=True)
class Span:
    """How long to go on: until the time is over, and never with fewer requests sent: a slow machine tests no less."""

    seconds: float
    fewest: int = 0
    begun: float = field(default_factory=time.monotonic)

    def is_over(self, report: Report) -> bool:
        """True once both are reached."""
        return time.monotonic() > self.begun + self.seconds and sum(report.sent.values()) >= self.fewest


def fuzz(targets: Sequence[Target], span: Span, first_seed: int, examples: int = _EXAMPLES) -> Report:
    """Round after round over every operation of every target, in an order of the round's own and `examples` times each;
    the same seed sends the same requests."""
    operations = [(target, operation) for target in targets for operation in _operations(target)]
    report = Report()
    with requests.Session() as session:
        session.trust_env = False
        for number in count(first_seed):
            for target in targets:
                target.tidy()
            for target, operation in random.Random(number).sample(operations, len(operations)):
                if span.is_over(report):
                    return report
                _try(_Trial(target, operation, session, report), number, examples, span)
    return report


def _operations(target: Target) -> list[Any]:
    document = requests.get(f"{target.url}/openapi.json", timeout=_TIMEOUT).json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=target.url)  # also of requests that checks send by themselves
    operations = [found.ok() for found in schema.get_all_operations()]
    return [one for one in operations if not one.path.startswith(_HUB) and target.mine(_id_of(one))]


def _id_of(operation: Any) -> str:
    return str(operation.definition.raw.get("operationId"))


@dataclass(frozen=True)
class _Trial:
    """One operation of a target in one round."""

    target: Target
    operation: Any
    session: requests.Session
    report: Report


def _try(trial: _Trial, number: int, examples: int, span: Span) -> None:
    modes = [trial.operation.as_strategy(generation_mode=mode) for mode in GenerationMode]

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @given(st.one_of(modes), st.data())
    def send(case: Case, data: st.DataObject) -> None:
        if not span.is_over(trial.report):
            accept = _accepted(trial.operation, data)
            _steer(case, trial.target, data, ends=accept == _STREAM)
            _judge(case, trial, {} if accept is None else {"Accept": accept})

    send()


def _accepted(operation: Any, data: st.DataObject) -> str | None:
    """One of the content types that an operation documents beside another; None where there is no choice."""
    answers = operation.definition.raw["responses"].items()
    types = sorted({kind for status, answer in answers if status.startswith("2") for kind in answer.get("content", ())})
    return data.draw(st.sampled_from(types)) if len(types) > 1 else None


def _steer(case: Case, target: Target, data: st.DataObject, *, ends: bool) -> None:
    """Now and then a name that exists and a body that is nearly right: most else ends in a 404 or a 422. `ends`: a
    stream of events of what is over ends by itself."""
    for name in list(case.path_parameters or {}):
        known = target.known.get(name, ())
        chosen = known[-1:] if case.method == "DELETE" else known[:1] if ends else known
        if chosen and (ends or data.draw(st.integers(0, 3))):
            case.path_parameters[name] = data.draw(st.sampled_from(chosen))
    operation_id = _id_of(case.operation)
    bodies = target.bodies.get(operation_id, ())
    if bodies and data.draw(st.booleans()):
        case.body = data.draw(st.sampled_from(bodies))
    elif isinstance(case.body, dict):
        fields = {
            name: data.draw(st.sampled_from(values)) for name, values in target.fields.get(operation_id, {}).items()
        }
        case.body = {**case.body, **fields}


def _judge(case: Case, trial: _Trial, headers: dict[str, str]) -> None:
    name, report = f"{case.method} {case.path}", trial.report
    report.sent[name] += 1
    report.services[trial.target.name] += 1
    try:
        who = {"Authorization": trial.target.authorization(), **headers}
        sending: dict[str, Any] = {"session": trial.session, "timeout": _TIMEOUT, "allow_redirects": False}
        response = case.call(base_url=trial.target.url, headers=who, **sending)
        report.answers[name, response.status_code] += 1
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
