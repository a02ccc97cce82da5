"""A refusal of a job's parameters, told in the words of the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from kargah.cli.refusals import speaks_json
from kargah.clients.transport import ApiError
from kargah.contracts.problem import Problem

_OPTIONS = {
    "baseModel": "--model", "dataset": "--dataset", "outputModel": "--output", "outputDir": "--output",
    "recipe": "--recipe", "epochs": "--epochs", "learningRate": "--learning-rate", "batchSize": "--batch-size",
    "maxSteps": "--max-steps", "maxRows": "--max-rows", "devices": "--devices", "nodes": "--nodes",
}  # fmt: skip
_FIELD = re.compile(r"config\.(\w+)( = )?")


@contextmanager
def as_options() -> Iterator[None]:
    """What is refused within the block names options in place of the fields of a request; programs get the fields."""
    try:
        yield
    except ApiError as error:
        raise error if speaks_json() else ApiError(in_options(error.problem)) from error


def in_options(problem: Problem) -> Problem:
    """`config.maxSteps` is `--max-steps`, and `config.advanced = true` is `--set advanced=true`."""
    errors = [
        field.model_copy(update={"field": _told(field.field), "message": _told(field.message)})
        for field in problem.errors
    ]
    return problem.model_copy(update={"detail": _told(problem.detail), "errors": errors})


def _told(text: str) -> str:
    return _FIELD.sub(lambda found: _OPTIONS.get(found[1]) or f"--set {found[1]}{'=' if found[2] else ''}", text)
