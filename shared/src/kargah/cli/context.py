"""What every command shares: the client, the `--json` switch, exit codes."""

from __future__ import annotations

import json as json_module
from enum import IntEnum
from typing import Annotated, Any

import typer
from httpx import InvalidURL
from pydantic import BaseModel, ValidationError
from rich.console import Console

from kargah.clients.client import Client

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of tables.")]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="KARGAH_URL", help="The gateway. [default: http://127.0.0.1:8080]", show_default=False
    ),
]

console = Console()
errors = Console(stderr=True)
_WIDE = 110


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


def complain(text: str) -> None:
    """Say in red, on standard error, what went wrong."""
    errors.print(text, style="red", soft_wrap=True, highlight=False, markup=False)


def print_json(value: BaseModel | dict[str, Any]) -> None:
    """One JSON document on standard output, Persian left readable."""
    plain = value.model_dump(mode="json", by_alias=True) if isinstance(value, BaseModel) else value
    typer.echo(json_module.dumps(plain, ensure_ascii=False, indent=2))
