"""`kargah queue [why | owners | quota | workers]`"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from kargah.cli.context import JsonOption, connect, console, explain, print_json
from kargah.cli.job_commands import JobArgument, resolve
from kargah.cli.text import duration, size
from kargah.clients.queue import UNSET, Unset
from kargah.contracts.queue import OwnerView, QueueEntry, QueueView

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
    console.print(f"{escape(entry.name)} is number {entry.position} in the queue. {escape(entry.why)}", highlight=False)
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


# A number below 0 is told to be none, not taken for an option.
@app.command(context_settings={"ignore_unknown_options": True})
def quota(
    context: typer.Context,
    owner: str,
    trainings: Annotated[
        str | None, typer.Argument(metavar="N|none", help="How many at once, or `none` for no limit.")
    ] = None,
    waiting: Annotated[
        str | None,
        typer.Option(
            metavar="N|none", help="How many jobs may wait; with 0 none is accepted, `none`: as many as usual."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Limit how many trainings an owner runs at once, and how many jobs wait; what runs and waits goes on. A limit that
    is not given stays as it is."""
    if trainings is None and waiting is None:
        raise typer.BadParameter("give how many trainings at once, or --waiting, or both", param_hint="N")
    limits = _given(trainings, "N"), _given(waiting, "--waiting")
    queue = connect(context).queue
    known = {one.name for one in queue.owners().items}
    view = queue.set_quota(owner, *limits)
    if owner not in known and not json:
        explain(Text(f"Nobody called {owner} has had a job or a quota yet: is the name right?", style="yellow"))
    print_json(view) if json else _tell_quota(view, waiting_stays=waiting is None)


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


def _tell_quota(view: OwnerView, *, waiting_stays: bool) -> None:
    console.print(
        f"{escape(view.name)}: quota {_limit(view.max_running)} of trainings at once, {view.running} run; "
        f"may wait {_limit(view.max_waiting)} of jobs, {view.waiting} wait{' (as before)' if waiting_stays else ''}",
        highlight=False,
        soft_wrap=True,
    )


def _given(text: str | None, what: str) -> int | Unset | None:
    if text is None:
        return UNSET
    if text == "none":
        return None
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither a number from 0 on nor `none`", param_hint=what)
    return int(text)
