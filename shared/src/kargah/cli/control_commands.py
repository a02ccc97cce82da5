"""`kargah cancel | pause | resume | stop | checkpoint | restart | extend | checkpoints | pin`"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Column, Table

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.follow import follow
from kargah.cli.job_commands import JobArgument, resolve
from kargah.cli.job_details import coloured
from kargah.cli.text import figure, size
from kargah.clients.client import Client
from kargah.contracts.jobs import JobView

CheckpointOption = Annotated[
    str | None,
    typer.Option("--checkpoint", help="A checkpoint's id, as `kargah checkpoints` lists them.", metavar="ID"),
]
WaitOption = Annotated[bool, typer.Option("--wait", help="Return once the job has ended or is paused.")]
WaitOrDetachOption = Annotated[
    bool, typer.Option("--wait/--detach", help="Watch it to its end; by default it is only queued.")
]
NameOption = Annotated[str | None, typer.Option(help="What to call the new job.")]


def _control(action: str, help_text: str) -> Any:
    """A command that sends a job the control that ends or pauses it."""

    def command(
        context: typer.Context, job_id: JobArgument, wait: WaitOption = False, json: JsonOption = False
    ) -> None:
        client = connect(context)
        job = client.jobs.control(resolve(client, job_id), action)
        _tell(follow(client, job, quiet=json) if wait else job, json)

    command.__doc__ = help_text
    return command


cancel = _control("cancel", "Cancel a job; its checkpoints are kept.")
pause = _control("pause", "Pause a job: it saves a checkpoint and frees the device.")
stop = _control("stop", "Finish a job early and keep the model.")


def checkpoint(context: typer.Context, job_id: JobArgument, json: JsonOption = False) -> None:
    """Save a checkpoint now."""
    client = connect(context)
    _tell(client.jobs.control(resolve(client, job_id), "checkpoint"), json)


def resume(
    context: typer.Context, job_id: JobArgument, checkpoint: CheckpointOption = None, json: JsonOption = False
) -> None:
    """Queue a paused job again; with --checkpoint it goes on from there, and later checkpoints are given up."""
    client = connect(context)
    _tell(client.jobs.resume(resolve(client, job_id), checkpoint=checkpoint), json)


def restart(
    context: typer.Context,
    job_id: JobArgument,
    checkpoint: CheckpointOption = None,
    from_scratch: Annotated[bool, typer.Option("--from-scratch", help="From the beginning.")] = False,
    name: NameOption = None,
    wait: WaitOrDetachOption = False,
    json: JsonOption = False,
) -> None:
    """Queue a new job like this one, from one of its checkpoints or from the beginning."""
    client = connect(context)
    job_id = resolve(client, job_id)
    job = client.jobs.restart(job_id, checkpoint=checkpoint, from_scratch=from_scratch, name=name)
    _tell_new(client, job, wait=wait, json=json)


def extend(
    context: typer.Context,
    job_id: JobArgument,
    epochs: Annotated[int | None, typer.Option(min=1, help="How many more.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="How many more, instead of epochs.")] = None,
    name: NameOption = None,
    wait: WaitOrDetachOption = False,
    json: JsonOption = False,
) -> None:
    """Train the model of a completed job for some epochs more, or some steps."""
    client = connect(context)
    job = client.jobs.extend(resolve(client, job_id), epochs, steps=steps, name=name)
    _tell_new(client, job, wait=wait, json=json)


def checkpoints(context: typer.Context, job_id: JobArgument, json: JsonOption = False) -> None:
    """List a job's checkpoints."""
    client = connect(context)
    page = client.jobs.checkpoints(resolve(client, job_id))
    if json:
        print_json(page)
        return
    if not page.items:
        console.print("There is no checkpoint.")
        return
    fixed = [Column(title, no_wrap=True) for title in ("checkpoint", "step", "epoch", "eval loss", "size")]
    table = Table(*fixed, "why", box=SIMPLE, padding=(0, 1, 0, 0))
    for one in page.items:
        loss = figure(one.metrics.get("eval_loss"), 3)
        why = f"{one.reason}, pinned" if one.pinned else one.reason
        table.add_row(one.id, str(one.step), f"{one.epoch:.2f}", loss, size(one.size_bytes), why)
    console.print(table)


def pin(
    context: typer.Context,
    job_id: JobArgument,
    checkpoint: Annotated[str, typer.Argument(help="The checkpoint's id.")],
    undo: Annotated[bool, typer.Option("--undo", help="Leave it to the retention rules again.")] = False,
    json: JsonOption = False,
) -> None:
    """Keep a checkpoint, however old it gets."""
    client = connect(context)
    view = client.jobs.pin(resolve(client, job_id), checkpoint, not undo)
    if json:
        print_json(view)
    else:
        console.print(f"The checkpoint of step {view.step} is {'pinned' if view.pinned else 'no longer pinned'}.")


def priority(
    context: typer.Context,
    job_id: JobArgument,
    value: Annotated[int, typer.Argument(min=-100, max=100, metavar="PRIORITY", help="-100 (last) to 100 (first).")],
    json: JsonOption = False,
) -> None:
    """Change how soon a waiting job's turn comes."""
    client = connect(context)
    job = client.jobs.change_priority(resolve(client, job_id), value)
    _tell(job, json, f", priority {job.priority}")


def _tell(job: JobView, json: bool, more: str = "") -> None:
    if json:
        print_json(job)
    else:
        wish = f" (asked to {job.desired})" if job.desired.value != "run" else ""
        console.print(f"{escape(job.name)} is {coloured(job.status)}{wish}{more}", highlight=False)


def _tell_new(client: Client, job: JobView, *, wait: bool, json: bool) -> None:
    if not json:
        start = job.config.start
        begins = f"goes on after step {start.step}" if start is not None else "begins anew"
        told = f"{escape(job.name)} is {coloured(job.status)} and {begins}: kargah logs -f {job.id}"
        console.print(told, soft_wrap=True, highlight=False)
    if wait:
        job = follow(client, job, quiet=json)
    if json:
        print_json(job)
    elif wait:
        _tell(job, json)
