"""`kargah up | down | status`: the embedded stack on this machine."""

from __future__ import annotations

import time
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer

from kargah.cli.context import ExitCode, JsonOption, complain, connect, console, errors, print_json
from kargah.embedded.errors import StackError
from kargah.embedded.stack import Stack, admin_file, running_stack, stop_stack
from kargah.embedded.supervisor import run_detached, run_foreground

DataOption = Annotated[Path, typer.Option("--data", help="The folder that everything is kept in.")]
PortOption = Annotated[int, typer.Option("--port", min=1, max=65535, help="The one port that people use.")]
DEFAULT_DATA = Path("data")
DEFAULT_PORT = 8080


def up(
    data: DataOption = DEFAULT_DATA,
    port: PortOption = DEFAULT_PORT,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many jobs run at once; they share the cores.")] = 1,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once it is ready; end it with `down`.")
    ] = False,
    auth: Annotated[
        bool, typer.Option("--auth/--no-auth", envvar="KARGAH_AUTH", help="Whether people must log in.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Start the whole platform on this machine; Ctrl-C stops it cleanly."""
    started = time.monotonic()
    if errors.is_terminal and not json:
        errors.print(f"Starting on {data}: the database, the object store and the services.", style="dim", markup=False)
    new_admin = auth and not admin_file(data).exists()

    def announce(url: str, ending: str = "Ctrl-C stops it.") -> None:
        _announce(url, started, json, ending, admin_file(data).read_text() if new_admin else None)

    try:
        if detach:
            url = run_detached(data, port, workers, auth=auth)
        else:
            run_foreground(Stack(data, port, workers=workers, auth=auth), on_ready=announce)
            return
    except StackError as error:
        complain(f"Could not start: {error}", "stack", HTTPStatus.INTERNAL_SERVER_ERROR)
        raise typer.Exit(ExitCode.REFUSED) from error
    announce(url, f"`kargah down --data {data}` stops it.")


def down(data: DataOption = DEFAULT_DATA, json: JsonOption = False) -> None:
    """Stop the stack of a data folder; its jobs go on at the next start."""
    found = running_stack(data)
    if found is None:
        complain(f"No stack is running on {data}.", "not_running", HTTPStatus.NOT_FOUND)
        raise typer.Exit(ExitCode.UNREACHABLE)
    stop_stack(found)
    if json:
        print_json({"stopped": True, "url": found.url})
    else:
        console.print(f"Stopped. Everything is kept in {data}.")


def status(context: typer.Context, json: JsonOption = False) -> None:
    """Show every endpoint of a running stack."""
    answer = connect(context).status()
    if json:
        print_json(answer)
        return
    for section, value in answer.items():
        if not value:
            continue
        if isinstance(value, dict):
            console.print(f"[bold]{section}[/]")
            for name, entry in value.items():
                console.print(f"  {name:<18} {entry}", highlight=False)
        else:
            console.print(f"[bold]{section}[/] {value}", highlight=False)


def _announce(url: str, started: float, json: bool, ending: str, admin_password: str | None) -> None:
    """The first admin's password is told once, when it has just been made."""
    seconds = time.monotonic() - started
    if json:
        admin = {"admin": {"name": "admin", "password": admin_password}} if admin_password is not None else {}
        print_json({"url": url, "seconds": round(seconds, 2), **admin})
        return
    console.print(f"[green]Kargah is ready[/] at [bold]{url}[/] after {seconds:.1f} s. {ending}")
    if admin_password is not None:
        console.print(
            f"Log in as [bold]admin[/], password [bold]{admin_password}[/] (shown this once): `kargah login {url}`",
            soft_wrap=True,
        )
