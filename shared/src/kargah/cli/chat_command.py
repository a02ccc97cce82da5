"""`kargah chat`: talk to a model in the terminal."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Annotated

import typer
from rich.markup import escape

from kargah.cli.context import ExitCode, JsonOption, complain, connect, console, print_json
from kargah.cli.text import visible
from kargah.clients.client import Client
from kargah.clients.transport import ApiError


def chat(
    context: typer.Context,
    model: Annotated[str, typer.Argument(help="An installed or fine-tuned model.")],
    message: Annotated[str | None, typer.Argument(help="Ask once; without it, a conversation.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, max=4096)] = 200,
    temperature: Annotated[float, typer.Option(min=0.0, max=2.0)] = 0.0,
    json: JsonOption = False,
) -> None:
    """Chat with a model."""
    client = connect(context)
    _require(client, model)
    history: list[dict[str, str]] = []
    if message is not None:
        answer = _ask(client, model, history, message, max_tokens, temperature, quiet=json)
        if json:
            print_json({"model": model, "message": message, "answer": answer})
        return
    if not json:
        console.print(f"Talking to [bold]{escape(model)}[/]. An empty line or Ctrl-D ends.")
    while question := _read():
        answer = _ask(client, model, history, question, max_tokens, temperature, quiet=json)
        if json:
            print_json({"model": model, "message": question, "answer": answer})


def _require(client: Client, model: str) -> None:
    """Before the first question."""
    try:
        client.chat.find(model)
    except ApiError as error:
        if error.problem.status != HTTPStatus.NOT_FOUND:
            raise
        told = f"There is no model {model!r} to talk to. See what is installed: kargah model list."
        complain(told, "model_not_found", HTTPStatus.NOT_FOUND)
        raise typer.Exit(ExitCode.REFUSED) from error


def _ask(
    client: Client,
    model: str,
    history: list[dict[str, str]],
    question: str,
    max_tokens: int,
    temperature: float,
    *,
    quiet: bool,
) -> str:
    history.append({"role": "user", "content": question})
    pieces = []
    for piece in client.chat.stream(model, history, max_tokens=max_tokens, temperature=temperature):
        pieces.append(piece)
        if not quiet:
            sys.stdout.write(visible(piece) if sys.stdout.isatty() else piece)
            sys.stdout.flush()
    if not quiet:
        sys.stdout.write("\n")
    history.append({"role": "assistant", "content": "".join(pieces)})
    return history[-1]["content"]


def _read() -> str:
    try:
        return input("> ").strip()
    except EOFError:
        return ""
