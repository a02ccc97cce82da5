"""What the platform refuses of a job's parameters, as the command line says it."""

from __future__ import annotations

from kargah.cli.option_names import in_options
from kargah.contracts.problem import Problem, ProblemField


def test_fields_are_told_as_options() -> None:
    wider = "Must be from 10 to 10000; 5 was given. With config.advanced = true: from 1 to 100000000."
    given = [ProblemField(field="config.maxSteps", message=wider), ProblemField(field="config.loraRr", message="No.")]
    told = in_options(
        Problem(title="t", status=422, code="invalid", detail="Bad: config.loraRr, config.maxSteps.", errors=given)
    )
    assert told.detail == "Bad: --set loraRr, --max-steps."
    assert [(error.field, error.message.partition("With ")[2]) for error in told.errors] == [
        ("--max-steps", "--set advanced=true: from 1 to 100000000."),
        ("--set loraRr", ""),
    ]
