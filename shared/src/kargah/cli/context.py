"""What every command shares: the client, the `--json` switch, exit codes."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterable, Iterator
from enum import IntEnum
from http import HTTPStatus
from typing import Annotated, Any

import typer
from httpx import InvalidURL
from pydantic import BaseModel, ValidationError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from kargah.cli.refusals import own_problem, speaks_json, tell_json
from kargah.cli.text import visible
from kargah.clients.client import Client
from kargah.contracts.problem import Problem, ProblemField
from kargah.domain.names import split_version

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="KARGAH_URL", help="The gateway. \\[default: http://127.0.0.1:8080]", show_default=False
    ),
]

_WIDE = 110
_TOLD_ONE_BY_ONE = 3


class VisibleConsole(Console):
    """A console that names control characters rather than sending them: rows, cards and logs come from elsewhere."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text))


YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]
DatasetArgument = Annotated[str, typer.Argument(help="The dataset: NAME, or NAME@2 for one version.")]

console = VisibleConsole()
errors = VisibleConsole(stderr=True)


class ExitCode(IntEnum):
    """What the shell sees. 2 is the command line's own (wrong usage)."""

    OK = 0
    REFUSED = 1
    UNREACHABLE = 3
    JOB_FAILED = 4
    JOB_PAUSED = 5
    INTERRUPTED = 130


def connect(context: typer.Context) -> Client:
    """The client for the gateway that `--url` or `KARGAH_URL` names; closed when the command ends."""
    try:
        client = Client(context.find_root().obj)
    except (ValidationError, ValueError, InvalidURL) as error:
        told = error.errors()[0] if isinstance(error, ValidationError) else {"loc": ("url",), "msg": str(error)}
        raise typer.BadParameter(f"KARGAH_{str(told['loc'][0]).upper()}: {told['msg']}") from error
    context.call_on_close(client.close)
    return client


def is_wide() -> bool:
    """Whether the terminal has room for more than what must be seen."""
    return console.width >= _WIDE


def complain(text: str, code: str = "refused", status: HTTPStatus = HTTPStatus.CONFLICT) -> None:
    """Say on standard error what went wrong: in red, or with `--json` as a problem of that code."""
    if speaks_json():
        tell_json(own_problem(text, code, status))
    else:
        explain(Text(text, style="red"))


def explain(text: Text, indent: int = 0) -> None:
    """Say more about it on standard error: broken between words in a terminal, one line for a program."""
    if errors.is_terminal:
        errors.print(Padding(text, (0, 0, 0, indent), expand=False), highlight=False)
    else:
        errors.print(Text(" " * indent).append_text(text), soft_wrap=True, highlight=False)


def tell_problem(problem: Problem) -> None:
    """What was refused, where, and the way out; nothing of it twice. With `--json` as the platform told it."""
    if speaks_json():
        tell_json(problem)
        return
    complain(problem.detail)
    told = {problem.detail}
    for place, field in _places(problem.errors):
        if place or field.message not in told:
            explain(Text.assemble(place, (field.field, "bold"), f": {field.message}"), indent=2)
            told.add(field.message)
    if problem.total_errors is not None and problem.total_errors > len(problem.errors):
        explain(Text(f"... {problem.total_errors:,} problems in all"), indent=2)
    if problem.hint and problem.hint not in told:
        explain(Text(problem.hint))


def _places(faults: Iterable[ProblemField]) -> Iterator[tuple[str, ProblemField]]:
    """Where each fault stands, ready to be read; one that more than three lines have is told once, with the lines."""
    alike: dict[tuple[str, str], list[ProblemField]] = {}
    for fault in faults:
        alike.setdefault((fault.field, fault.message), []).append(fault)
    for same in alike.values():
        lines = [str(fault.line) for fault in same if fault.line is not None]
        if len(lines) > _TOLD_ONE_BY_ONE:
            yield f"lines {', '.join(lines)}, ", same[0]
            continue
        for fault in same:
            yield (f"line {fault.line} (byte {fault.byte_offset}), " if fault.line is not None else ""), fault


def make_sure(question: str, yes: bool) -> None:
    """Ask before what cannot be undone, where a person can answer; a script is not asked. Ends the command on no."""
    if not yes and sys.stdin.isatty() and not typer.confirm(question, err=True):
        raise typer.Exit(ExitCode.REFUSED)


def versioned(name: str, version: int | None) -> tuple[str, int | None]:
    """A dataset's name and number from `NAME@2`, as jobs take it, or from NAME with `--version 2`. Raises
    BadParameter if both name one, and not the same."""
    bare, told = split_version(name)
    if told is None or not told.isdigit():
        return name, version
    if version not in (None, int(told)):
        raise typer.BadParameter(f"{name} is not version {version}", param_hint="--version")
    return bare, int(told)


def print_json(value: BaseModel | dict[str, Any]) -> None:
    """One JSON document on standard output, Persian left readable."""
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    typer.echo(json_module.dumps(plain, ensure_ascii=False, indent=2))
