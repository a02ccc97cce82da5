"""The `kargah` command: wiring only."""

from __future__ import annotations

import sys
from http import HTTPStatus

import typer
from typer.exceptions import TyperException

from kargah import __version__
from kargah.cli.context import ExitCode, UrlOption, complain, tell_problem
from kargah.cli.lazy_commands import LazyGroup
from kargah.cli.refusals import listen
from kargah.clients.transport import ApiError, Unreachable
from kargah.embedded.errors import StackError

app = typer.Typer(
    name="kargah",
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Kargah (کارگاه): fine-tune language models on your own machines.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"kargah {__version__}")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    url: UrlOption = None,
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    context.obj = url


def main() -> None:
    """Run the command; errors become one readable message, or with `--json` one problem object, and an exit code."""
    try:
        _run()
    except ApiError as error:
        tell_problem(error.problem)
        sys.exit(ExitCode.REFUSED)
    except Unreachable as error:
        complain(str(error), "unreachable", HTTPStatus.SERVICE_UNAVAILABLE)
        sys.exit(ExitCode.UNREACHABLE)
    except StackError as error:
        complain(str(error), "stack", HTTPStatus.INTERNAL_SERVER_ERROR)
        sys.exit(ExitCode.REFUSED)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _run() -> None:
    """As typer does, but for programs what is wrong with the command line is no box of lines either."""
    if not listen(sys.argv[1:]):
        app()
        return
    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        complain(error.format_message(), "usage", HTTPStatus.BAD_REQUEST)
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(ExitCode.REFUSED)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


if __name__ == "__main__":
    main()
