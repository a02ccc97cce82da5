"""`kargah login | logout | whoami`: who asks."""

from __future__ import annotations

import socket
import sys
from typing import Annotated, Any

import typer

from kargah.cli.context import ExitCode, JsonOption, complain, connect, console, print_json
from kargah.clients.client import Client
from kargah.clients.config import ClientSettings
from kargah.clients.credentials import store_key, stored_key
from kargah.clients.transport import ApiError
from kargah.contracts.access import WhoAmI
from kargah.domain.wording import counted

_ProjectOption = Annotated[
    str | None, typer.Option("--project", envvar="KARGAH_PROJECT", help="Which of several projects.")
]
_PLAIN: Any = {"highlight": False, "markup": False, "soft_wrap": True}


def login(
    context: typer.Context,
    url: Annotated[str | None, typer.Argument(help="The gateway.", show_default=False)] = None,
    name: Annotated[str, typer.Option("--name", "-n", prompt=True, help="The user.")] = ...,  # type: ignore[assignment]
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    project: _ProjectOption = None,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long this machine stays logged in.")] = 90,
    json: JsonOption = False,
) -> None:
    """Log in: an API key for this machine is made and kept in a file that only you can read."""
    settings = ClientSettings()
    place = url or context.find_root().obj or settings.url
    with Client(place) as client:
        session = client.access.login(name, read_password(stdin=password_stdin))
        client.transport.use({"authorization": f"Bearer {session.access_token}"})
        try:
            key = _make_key(client, project, days)
        finally:
            client.access.logout(session.refresh_token)
        store_key(settings.credentials, place, key)
        client.transport.use({"authorization": f"Bearer {key}"})
        me = client.access.whoami()
        if not json:
            console.print(f"Logged in at {place} for {counted(days, 'day')}, kept in {settings.credentials}.", **_PLAIN)
        _tell(me, json)


def logout(
    context: typer.Context,
    url: Annotated[str | None, typer.Argument(help="The gateway.", show_default=False)] = None,
) -> None:
    """Revoke this machine's key and forget it."""
    settings = ClientSettings()
    place = url or context.find_root().obj or settings.url
    key = stored_key(settings.credentials, place)
    if key is None:
        complain(f"Not logged in at {place}.")
        raise typer.Exit(ExitCode.REFUSED)
    with Client(place, api_key=key) as client:
        try:
            client.access.revoke_key(key.split("_")[1])
        except ApiError as error:
            if error.problem.status != 401:  # a key that is not valid any more needs no revoking
                raise
    store_key(settings.credentials, place, None)
    console.print(f"Logged out of {place}.", highlight=False)


def whoami(context: typer.Context, json: JsonOption = False) -> None:
    """Show who you are to the platform, and what you may do."""
    _tell(connect(context).access.whoami(), json)


def read_password(*, stdin: bool, prompt: str = "Password", confirm: bool = False) -> str:
    """From a person without showing it, or one line of standard input."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)
    return answer


def _make_key(client: Client, project: str | None, days: int) -> str:
    """For the project that was named, or the only one."""
    if project is not None:
        client.transport.use({"x-kargah-project": project})
    me = client.access.whoami()
    if me.project is None:
        names = ", ".join(one.project for one in me.projects)
        complain(f"You are in {names}: choose one with --project." if names else "You are in no project yet.")
        raise typer.Exit(ExitCode.REFUSED)
    name = f"kargah login on {socket.gethostname()}"[:100]
    return client.access.make_key(name, days=days, platform=me.platform).key


def _tell(me: WhoAmI, json: bool) -> None:
    if json:
        print_json(me)
        return
    if not me.auth:
        console.print("Nobody logs in here: everybody who reaches it may do everything.")
        return
    platform = ", looks after the platform" if me.platform else ""
    place = f"{me.role} in {me.project}" if me.role and me.project else "in no project"
    console.print(f"[bold]{me.name}[/]: {place}{platform}", highlight=False)
    others = [f"{one.project} ({one.role})" for one in me.projects if one.project != me.project]
    if others:
        console.print(f"Also: {', '.join(others)}", highlight=False)
