"""The `kargah` command: wiring only."""

from __future__ import annotations

import sys

import typer
from rich.markup import escape

from kargah import __version__
from kargah.cli.context import ExitCode, UrlOption, complain, errors
from kargah.cli.lazy_commands import LazyGroup
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
    """Run the command; errors become one readable message and an exit code."""
    try:
        app()
    except ApiError as error:
        _explain(error)
        sys.exit(ExitCode.REFUSED)
    except Unreachable as error:
        complain(str(error))
        sys.exit(ExitCode.UNREACHABLE)
    except StackError as error:
        complain(str(error))
        sys.exit(ExitCode.REFUSED)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _explain(error: ApiError) -> None:
    problem = error.problem
    complain(problem.detail)
    for field in problem.errors:
        place = f"line {field.line} (byte {field.byte_offset}), " if field.line is not None else ""
        text = f"  {place}[bold]{escape(field.field)}[/]: {escape(field.message)}"
        errors.print(text, soft_wrap=True, highlight=False)
    if problem.total_errors is not None and problem.total_errors > len(problem.errors):
        errors.print(f"  ... {problem.total_errors:,} problems in all", soft_wrap=True, highlight=False)
    if problem.hint:
        errors.print(problem.hint, soft_wrap=True, highlight=False, markup=False)


if __name__ == "__main__":
    main()
