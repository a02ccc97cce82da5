"""`kargah queue [why | owners | quota | workers]`"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Column, Table

from kargah.cli.context import JsonOption, connect, console, print_json
from kargah.cli.job_commands import JobArgument, resolve
from kargah.cli.text import duration, size
from kargah.clients.queue import UNSET
from kargah.contracts.queue import QueueEntry, QueueView

app = typer.Typer(invoke_without_command=True, help="Show who waits, in the order of the claim, and why.")


@app.callback()
def queue(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many of the first jobs.")] = 20,
    json: JsonOption = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    view = connect(context).queue.view(limit=limit)
    if json:
        print_json(view)
    elif not view.items:
        console.print(f"Nothing waits. {_workers(view)}")
    else:
        console.print(_table(view.items))
        console.print(_rest(view) + _workers(view), highlight=False)


@app.command()
def why(context: typer.Context, job_id: JobArgument, json: JsonOption = False) -> None:
    """Explain why one job waits, however far back it is."""
    client = connect(context)
    entry = client.queue.entry(resolve(client, job_id))
    if json:
        print_json(entry)
        return
    score = entry.score
    console.print(f"{escape(entry.name)} is number {entry.position}. {escape(entry.why)}", highlight=False)
    console.print(
        f"Score {score.total:.0f} s = waited {score.waited:.0f} s + priority {score.priority:.0f} s"
        f" - fair share {score.fair_share:.0f} s",
        highlight=False,
    )
    if entry.ahead.count:
        more = ", ..." if entry.ahead.count > len(entry.ahead.first) else ""
        console.print(f"First of all: {', '.join(entry.ahead.first)}{more}", highlight=False)


@app.command()
def owners(context: typer.Context, json: JsonOption = False) -> None:
    """List whose jobs run and wait, and the quotas."""
    page = connect(context).queue.owners()
    if json:
        print_json(page)
        return
    table = Table("owner", "running", "waiting", "quota", "may wait", box=SIMPLE, padding=(0, 1, 0, 0))
    for owner in page.items:
        waiting = (str(owner.waiting), _limit(owner.max_running), _limit(owner.max_waiting))
        table.add_row(escape(owner.name), str(owner.running), *waiting)
    console.print(table)


@app.command()
def quota(
    context: typer.Context,
    owner: str,
    trainings: Annotated[str, typer.Argument(metavar="N|none", help="How many at once, or `none` for no limit.")],
    waiting: Annotated[
        str | None, typer.Option(metavar="N|none", help="How many jobs may wait; `none`: as many as usual.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Limit how many trainings an owner runs at once, and how many jobs wait; what runs and waits goes on."""
    may_wait = UNSET if waiting is None else _given(waiting)
    view = connect(context).queue.set_quota(owner, _given(trainings), max_waiting=may_wait)
    if json:
        print_json(view)
    else:
        console.print(
            f"{escape(view.name)} runs {view.running}, quota {_limit(view.max_running)}, waiting {view.waiting}, "
            f"may wait {_limit(view.max_waiting)}",
            highlight=False,
        )


@app.command()
def workers(context: typer.Context, json: JsonOption = False) -> None:
    """List the workers that have been seen within the last day."""
    page = connect(context).queue.workers()
    if json:
        print_json(page)
        return
    table = Table("worker", "alive", Column("job", no_wrap=True), "device", "takes", box=SIMPLE, padding=(0, 1, 0, 0))
    for worker in page.items:
        device = worker.device
        gpus = ", ".join(device.get("gpus", [])) or f"{device.get('cpus', '?')} CPUs"
        shared = f", {device['devices']} devices" if device.get("devices", 1) > 1 else ""
        memory = f", {size(device['memoryBytes'])}" if "memoryBytes" in device else ""
        table.add_row(
            escape(worker.name),
            "yes" if worker.alive else f"[red]last seen {worker.seen_at:%H:%M:%S}[/]",
            worker.job_id or ("another project's" if worker.busy else "-"),
            escape(gpus + shared + memory),
            escape(", ".join(worker.kinds)),
        )
    console.print(table)


def _table(entries: list[QueueEntry]) -> Table:
    fixed = [Column(title, no_wrap=True) for title in ("#", "job", "owner", "prio", "waited")]
    table = Table(*fixed, Column("why", overflow="fold"), box=SIMPLE, padding=(0, 1, 0, 0))
    for entry in entries:
        waited = duration(max(0.0, entry.score.waited))
        table.add_row(
            str(entry.position), entry.job_id, escape(entry.owner), str(entry.priority), waited, escape(entry.why)
        )
    return table


def _rest(view: QueueView) -> str:
    if view.total is None:
        return f"{len(view.items)} of more than 10,000 waiting jobs. "
    return f"{len(view.items)} of {view.total} waiting jobs. " if view.total > len(view.items) else ""


def _workers(view: QueueView) -> str:
    alive = "1 worker is alive" if view.workers == 1 else f"{view.workers} workers are alive"
    return f"{alive}, {view.idle} idle."


def _limit(number: int | None) -> str:
    return "none" if number is None else str(number)


def _given(text: str) -> int | None:
    return None if text == "none" else _number(text)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither a number nor `none`", param_hint="N")
    return int(text)
