"""With `--json` a refusal is one problem object on standard error, and nothing else is said there; standard output has
results alone. The exit code is the same as without."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus

import typer

from kargah.contracts.problem import Problem


class _Tongue:
    """What this process's user reads."""

    json = False


def listen(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON; refusals are told so from now on."""
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    _Tongue.json = "--json" in before
    return _Tongue.json


def speaks_json() -> bool:
    """Whether refusals are to be JSON."""
    return _Tongue.json


def tell_json(problem: Problem) -> None:
    """The problem on standard error, as `/api` writes it."""
    plain = problem.model_dump(mode="json", by_alias=True, exclude_none=True)
    typer.echo(json.dumps(plain, ensure_ascii=False, indent=2), err=True)


def own_problem(detail: str, code: str, status: HTTPStatus) -> Problem:
    """A refusal of the command itself; `status` is what the platform would have answered."""
    return Problem(title=status.phrase, status=status, code=code, detail=detail)
