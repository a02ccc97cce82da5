"""`kargah train | jobs | logs`"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Column, Table

from kargah.cli.context import ExitCode, JsonOption, connect, console, is_wide, print_json
from kargah.cli.estimates import tell_estimate
from kargah.cli.follow import announce, describe_failure, follow
from kargah.cli.job_details import coloured, interruptions, show
from kargah.cli.option_names import as_options
from kargah.cli.text import duration, figure, one_line, setting, visible
from kargah.clients.client import Client
from kargah.contracts.jobs import JobView, LogLine
from kargah.domain.job_state import Status
from kargah.domain.kinds import Kind, facts_of

JobArgument = Annotated[str, typer.Argument(help="The job's id, or `last` for the newest training.")]

_NO_OLD_EVENTS = str(2**31 - 1)


def train(
    context: typer.Context,
    model: Annotated[str, typer.Option("--model", "-m", help="An installed base model.")],
    dataset: Annotated[str, typer.Option("--dataset", "-d", help="An installed dataset.")],
    name: Annotated[str | None, typer.Option(help="What to call the job.")] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Name of the model it makes.")] = None,
    recipe: Annotated[str | None, typer.Option(help="Kind of training; chosen by model and data if not given.")] = None,
    epochs: Annotated[float | None, typer.Option(help="Passes over the data; 0.5 is half of one.")] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", "--lr", help="Its highest value, after the warm-up.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Rows for one optimizer step.")] = None,
    max_steps: Annotated[
        int | None, typer.Option(help="End after so many optimizer steps; fewer than 10 need --set advanced=true.")
    ] = None,
    devices: Annotated[int | None, typer.Option(min=1, max=64, help="GPUs of one worker that share it.")] = None,
    nodes: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="So many machines, with as many GPUs each, or one that has them all."),
    ] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any other parameter: --set lora_r=16")] = None,
    priority: Annotated[int, typer.Option(min=-100, max=100, help="-100 (last) to 100 (first).")] = 0,
    owner: Annotated[str | None, typer.Option(help="Whose job it is, for shares and quotas.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Do not wait for the end.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only tell what it would take.")] = False,
    json: JsonOption = False,
) -> None:
    """Fine-tune a model on a dataset and watch it learn."""
    client = connect(context)
    config: dict[str, Any] = {"baseModel": model, "dataset": dataset, "outputModel": output, "recipe": recipe}
    config |= {"epochs": _whole(epochs), "learningRate": learning_rate, "batchSize": batch_size, "maxSteps": max_steps}
    config |= {"devices": devices, "nodes": nodes}
    config = {key: value for key, value in config.items() if value is not None}
    config |= dict(setting(entry) for entry in set_ or [])
    if estimate:
        tell_estimate(client, config, json)
        return
    with as_options():
        job = client.jobs.submit(name or f"{model} on {dataset}", config, priority=priority, owner=owner)
    if not detach:
        announce(job)
        job = follow(client, job, quiet=json)
    _report(job, json)
    if not detach and job.status is not Status.COMPLETED:
        raise typer.Exit(ExitCode.JOB_PAUSED if job.status is Status.PAUSED else ExitCode.JOB_FAILED)


def jobs(
    context: typer.Context,
    job_id: Annotated[str | None, typer.Argument(metavar="[JOB]", help="Show this one (an id, or `last`).")] = None,
    status: Annotated[Status | None, typer.Option(help="Only these.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    json: JsonOption = False,
) -> None:
    """List jobs, newest first, or show one."""
    client = connect(context)
    if job_id is not None:
        job = client.jobs.get(resolve(client, job_id))
        print_json(job) if json else show(job)
        return
    page = client.jobs.list(status=status, kind=kind, limit=limit)
    if json:
        print_json(page)
        return
    console.print(_table(page.items, wide=is_wide()))


def _table(jobs: list[JobView], wide: bool) -> Table:
    """In a narrow terminal the figures go before the names are cut to nothing; `kargah jobs ID` has them all."""
    widths = {"job": 30, "kind": 8, "status": 10, "done": 5} | ({"step": 7, "loss": 6, "time": 5} if wide else {})
    fixed = [Column(title, no_wrap=True, min_width=width) for title, width in widths.items()]
    table = Table(*fixed, "name", box=SIMPLE, padding=(0, 1, 0, 0))
    for job in jobs:
        progress = job.progress
        step = "-" if progress.step is None else f"{progress.step}/{progress.total_steps or '?'}"
        figures = [step, figure(progress.loss, 3), duration(job.duration_seconds)] if wide else []
        done = f"{progress.percent:.0f} %"
        table.add_row(job.id, job.kind, coloured(job.status), done, *figures, one_line(job.name))
    return table


def logs(
    context: typer.Context,
    job_id: JobArgument,
    follow_: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the last lines.")] = 100,
    json: JsonOption = False,
) -> None:
    """Show a job's log."""
    client = connect(context)
    job_id = resolve(client, job_id)
    page = client.jobs.logs(job_id, limit=limit)
    for line in page.lines:
        _print_line(line, json)
    if not follow_:
        return
    for event in client.jobs.watch(job_id, after=_NO_OLD_EVENTS, after_log=page.total):
        if event.event == "log":
            _print_line(LogLine.model_validate(event.data), json)


def _print_line(line: LogLine, json: bool) -> None:
    if json:
        typer.echo(line.model_dump_json(by_alias=True))
    else:
        typer.echo(f"{line.at:%H:%M:%S} {line.level:<7} {visible(line.message)}")


def resolve(client: Client, job_id: str) -> str:
    """The id itself, or that of the newest training for `last`."""
    if job_id != "last":
        return job_id
    page = client.jobs.list(kind=Kind.TRAIN, limit=1)
    if not page.items:
        raise typer.BadParameter("there is no training yet", param_hint="JOB")
    return page.items[0].id


def _report(job: JobView, json: bool) -> None:
    if json:
        print_json(job)
        return
    name, model = escape(job.name), job.config.output_model
    after = "" if job.status is Status.PENDING else f" after {duration(job.duration_seconds)}"
    console.print(f"{name} is {coloured(job.status)}{after} ({job.id})")
    if job.error is not None:
        console.print(describe_failure(job), style="red", highlight=False, markup=False)
    if job.status is Status.COMPLETED and facts_of(job.kind).trains:
        console.print(f"The model is [bold]{model}[/]: kargah chat {model}")
        if told := interruptions(job):
            console.print(f"It took {told}.")


def _whole(value: float | None) -> float | int | None:
    return int(value) if value is not None and value.is_integer() else value
