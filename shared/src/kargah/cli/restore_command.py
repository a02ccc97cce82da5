"""`kargah restore`: a stack as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from kargah.backup.place import distributed_place, embedded_place, empty_embedded_place
from kargah.backup.restoring import Restored, Restoring
from kargah.backup.vault import open_vault
from kargah.cli.backup_context import (
    NameOption,
    PasswordFileOption,
    SuperuserOption,
    TargetOption,
    password,
    shown,
    told,
)
from kargah.cli.context import JsonOption, console, print_json
from kargah.cli.stack_commands import DEFAULT_DATA, DataOption
from kargah.cli.text import size
from kargah.domain.wording import counted
from kargah.embedded.restore_mark import is_unfinished, restoring
from kargah.embedded.topology import DATABASE


def restore(
    target: TargetOption,
    snapshot: Annotated[
        str | None, typer.Option(help="Which backup: its id, or the beginning; the newest else.")
    ] = None,
    data: DataOption = DEFAULT_DATA,
    database: SuperuserOption = None,
    database_name: NameOption = DATABASE,
    replace_all: Annotated[
        bool, typer.Option("--replace", help="Even where there are jobs, datasets or models: they go.")
    ] = False,
    allow_missing: Annotated[bool, typer.Option(help="Even a backup that lacks objects.")] = False,
    objects_only: Annotated[
        bool, typer.Option(help="Write what the store lost, also of a running stack; leave the database alone.")
    ] = False,
    password_file: PasswordFileOption = None,
    json: JsonOption = False,
) -> None:
    """Bring a backup back into an empty stack that does not run; `kargah up` starts it afterwards.

    Jobs that ran are queued again. Interrupted at any point it can be run again, and goes on.
    """
    with told(), open_vault(target, password(password_file)) as vault, shown(json) as progress:
        work = Restoring(
            vault=vault,
            backup=vault.find(snapshot),
            progress=progress,
            replace=replace_all,
            allow_missing=allow_missing,
            objects_only=objects_only,
        )
        if database is not None:
            done = work.run(distributed_place(database, database_name))
        elif objects_only:
            with embedded_place(data) as place:
                done = work.run(place)
        else:
            done = _embedded(work, data)
    _tell(done, data, database is None, json)


def _embedded(work: Restoring, data: Path) -> Restored:
    with empty_embedded_place(data) as place:
        going_on = replace(work, replace=work.replace or is_unfinished(data))
        going_on.require_possible(place)
        with restoring(data):
            return going_on.run(place)


def _tell(done: Restored, data: Path, embedded: bool, json: bool) -> None:
    if json:
        print_json(
            {
                "backup": done.backup.id,
                "createdAt": done.backup.created_at.isoformat(),
                "objects": done.backup.objects,
                "written": done.written,
                "writtenBytes": done.written_bytes,
                "requeued": done.settled.get("jobs", 0),
                "endedUploads": done.settled.get("uploads", 0),
                "counts": done.backup.counts,
            }
        )
        return
    if not done.settled:
        console.print(
            f"Wrote {counted(done.written, 'object')}, {size(done.written_bytes)}, from [bold]{done.backup.id}[/]."
        )
        return
    counts = ", ".join(counted(count, name.removesuffix("s")) for name, count in done.backup.counts.items())
    console.print(
        f"Restored [bold]{done.backup.id}[/]: {counts}; {counted(done.written, 'object')} written, "
        f"{size(done.written_bytes)}. Queued again: {counted(done.settled['jobs'], 'job')} that ran.",
        soft_wrap=True,
        highlight=False,
    )
    way = (
        f"`kargah up --data {data}` starts it." if embedded else "Run `kargah database` once, then start the services."
    )
    console.print(f"{way} Passwords of roles and keys of the store are this stack's own, not the old one's.")
