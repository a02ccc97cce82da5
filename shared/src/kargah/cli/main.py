"""The `kargah` command: wiring only."""

from __future__ import annotations

import sys

import typer

from kargah import __version__
from kargah.cli import chat_command, dataset_commands, demo_command, job_commands, model_commands, stack_commands
from kargah.cli.context import ExitCode, UrlOption, errors
from kargah.clients.transport import ApiError, Unreachable

app = typer.Typer(
    name="kargah",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Kargah (کارگاه): fine-tune language models on your own machines.",
)
app.add_typer(dataset_commands.app, name="dataset")
app.add_typer(model_commands.app, name="model")
app.command()(stack_commands.up)
app.command()(stack_commands.down)
app.command()(stack_commands.status)
app.command()(job_commands.train)
app.command()(job_commands.jobs)
app.command()(job_commands.logs)
for action, text in (
    ("cancel", "Cancel a job; its checkpoints are kept."),
    ("pause", "Pause a job: it saves a checkpoint and frees the device."),
    ("resume", "Put a paused job back into the queue; it goes on from its last checkpoint."),
    ("stop", "Finish a job early and keep the model."),
    ("checkpoint", "Save a checkpoint now."),
):
    app.command(action)(job_commands.control(action, text))
app.command()(chat_command.chat)
app.command()(demo_command.demo)


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
        errors.print(f"[red]{error}[/]", soft_wrap=True, highlight=False)
        sys.exit(ExitCode.UNREACHABLE)
    except KeyboardInterrupt:
        sys.exit(ExitCode.INTERRUPTED)


def _explain(error: ApiError) -> None:
    problem = error.problem
    errors.print(f"[red]{problem.detail}[/]", soft_wrap=True, highlight=False)
    for field in problem.errors:
        place = f"line {field.line} (byte {field.byte_offset}), " if field.line is not None else ""
        errors.print(f"  {place}[bold]{field.field}[/]: {field.message}", soft_wrap=True, highlight=False)
    if problem.hint:
        errors.print(problem.hint, soft_wrap=True, highlight=False)


if __name__ == "__main__":
    main()
