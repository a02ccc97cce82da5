"""`kargah backup`: save everything, see what is saved, prove that it is whole, remove the old."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Column, Table

from kargah.backup.checking import Check, Problem
from kargah.backup.config import password_in
from kargah.backup.documents import Summary
from kargah.backup.keys import change_password
from kargah.backup.place import distributed_place, embedded_place
from kargah.backup.retention import Policy, Pruned, prune
from kargah.backup.saving import Saving
from kargah.backup.vault import open_vault
from kargah.cli.backup_context import (
    NameOption,
    PasswordFileOption,
    SuperuserOption,
    TargetOption,
    password,
    shown,
    target_option,
    told,
)
from kargah.cli.context import ExitCode, JsonOption, complain, console, is_wide, print_json
from kargah.cli.stack_commands import DEFAULT_DATA, DataOption
from kargah.cli.text import size
from kargah.domain.wording import counted
from kargah.embedded.topology import DATABASE

app = typer.Typer(help="Save database and objects, encrypted; see, check and remove what was saved.")


@app.callback(invoke_without_command=True)
def backup(
    context: typer.Context,
    to: Annotated[str | None, target_option] = None,
    data: DataOption = DEFAULT_DATA,
    database: SuperuserOption = None,
    database_name: NameOption = DATABASE,
    password_file: PasswordFileOption = None,
    json: JsonOption = False,
) -> None:
    """Save everything of a stack, running or not. What an earlier backup holds is not sent again.

    Encrypted with KARGAH_BACKUP_PASSWORD: without it nothing can be restored.
    """
    if context.invoked_subcommand is not None:
        return
    if to is None:
        raise typer.BadParameter("name where the backups are kept", param_hint="--to")
    with told(), open_vault(to, password(password_file), create=True) as vault, shown(json) as progress:
        if database is not None:
            done = Saving(distributed_place(database, database_name), vault, progress).run()
        else:
            with embedded_place(data) as place:
                done = Saving(place, vault, progress).run()
    _tell_saved(done, to, json)


@app.command("list")
def list_backups(to: TargetOption, password_file: PasswordFileOption = None, json: JsonOption = False) -> None:
    """Show the backups that there are, the oldest first."""
    with told(), open_vault(to, password(password_file)) as vault:
        found = vault.backups()
    if json:
        print_json({"items": [_view(one) for one in found]})
        return
    if not found:
        console.print(f"There is no finished backup at {to}.")
        return
    console.print(backup_table(found, wide=is_wide()))
    for one in found:
        if one.missing:
            console.print(f"{one.id} lacks {counted(len(one.missing), 'object')}.", style="red", highlight=False)


@app.command()
def check(
    to: TargetOption,
    snapshot: Annotated[str | None, typer.Option(help="Only this backup: its id, or the beginning of it.")] = None,
    quick: Annotated[bool, typer.Option(help="Look at names and sizes alone; read nothing.")] = False,
    repair: Annotated[
        bool, typer.Option(help="Remove what is damaged, so that the next backup saves it anew.")
    ] = False,
    password_file: PasswordFileOption = None,
    json: JsonOption = False,
) -> None:
    """Read every file of the backups and compare it with its sha256."""
    with told(), open_vault(to, password(password_file)) as vault, shown(json) as progress:
        backups = vault.backups() if snapshot is None else [vault.find(snapshot)]
        checked = Check(vault, backups, progress, read=not quick).run()
        if repair:
            for problem in checked.problems:
                vault.remove(problem.sha256)
    if json:
        problems = [asdict(problem) for problem in checked.problems]
        print_json({"backups": len(backups), "files": checked.files, "bytes": checked.size, "problems": problems})
    else:
        _tell_checked(len(backups), checked.files, checked.size, list(checked.problems))
    if checked.problems:
        raise typer.Exit(ExitCode.REFUSED)


@app.command("prune")
def prune_backups(
    to: TargetOption,
    keep_last: Annotated[int, typer.Option(min=1, help="So many of the newest.")] = 1,
    keep_daily: Annotated[int, typer.Option(min=0, help="The last of each of so many days.")] = 0,
    keep_weekly: Annotated[int, typer.Option(min=0, help="Of so many weeks.")] = 0,
    keep_monthly: Annotated[int, typer.Option(min=0, help="Of so many months.")] = 0,
    dry_run: Annotated[bool, typer.Option(help="Only say what would go.")] = False,
    password_file: PasswordFileOption = None,
    json: JsonOption = False,
) -> None:
    """Remove old backups and what only they need."""
    policy = Policy(keep_last, keep_daily, keep_weekly, keep_monthly)
    with told(), open_vault(to, password(password_file)) as vault:
        done = prune(vault, policy, dry_run=dry_run)
    if json:
        print_json({"kept": done.kept, "removed": done.removed, "files": done.files, "bytes": done.size})
    else:
        _tell_pruned(done, dry_run)


@app.command("password")
def new_password(
    to: TargetOption,
    new_file: Annotated[Path, typer.Option(help="A file whose first line is the new password.")],
    password_file: PasswordFileOption = None,
) -> None:
    """Change the password; nothing is written anew but the key."""
    with told():
        change_password(to, password(password_file), password_in(new_file))
    console.print("From now on the new password opens the backups, and the old one does not.")


def backup_table(found: Iterable[Summary], *, wide: bool) -> Table:
    """What was there is told where it has room in a line."""
    fixed = [Column(title, no_wrap=True) for title in ("backup", "taken (UTC)", "objects", "size", "added")]
    table = Table(*fixed, *(["what was there"] if wide else []), box=SIMPLE, padding=(0, 1, 0, 0))
    for one in found:
        sizes = size(one.objects_bytes + one.database_bytes), size(one.added_bytes)
        there = ", ".join(counted(count, name.removesuffix("s")) for name, count in one.counts.items())
        cells = (one.id, f"{one.created_at:%Y-%m-%d %H:%M}", f"{one.objects:,}", *sizes)
        table.add_row(*cells, *([there] if wide else []))
    return table


def _view(one: Summary) -> dict[str, object]:
    view: dict[str, object] = one.model_dump(mode="json", by_alias=True)
    return view


def _tell_saved(done: Summary, target: str, json: bool) -> None:
    if json:
        print_json(_view(done))
    else:
        whole = done.objects_bytes + done.database_bytes
        console.print(
            f"Saved as [bold]{done.id}[/] in {done.seconds:.1f} s: {counted(done.objects, 'object')} and the database, "
            f"{size(whole)}; new of it {counted(done.added, 'file')}, {size(done.added_bytes)} "
            f"({done.added_bytes:,} bytes).",
            soft_wrap=True,
            highlight=False,
        )
    if done.absent and not json:
        lost = counted(len(done.absent), "object")
        complain(
            f"The store lost {lost}, such as {done.absent[0]}; an earlier backup had saved them. "
            "`kargah restore --objects-only` brings them back."
        )
    if done.missing:
        missing = counted(len(done.missing), "object")
        complain(
            f"{missing} could not be saved: rows name them, and the store does not have them "
            f"as they were, such as {done.missing[0]}. Everything else is at {target}.",
            "objects_missing",
        )
        raise typer.Exit(ExitCode.REFUSED)


def _tell_checked(backups: int, files: int, read: int, problems: list[Problem]) -> None:
    found = counted(len(problems), "problem")
    console.print(f"{counted(backups, 'backup')}, {counted(files, 'file')}, {size(read)} read: {found}.")
    for problem in problems:
        names = ", ".join(problem.names[:3]) or problem.sha256
        complain(f"{names} {problem.what}; needed by {', '.join(problem.backups)}")


def _tell_pruned(done: Pruned, dry_run: bool) -> None:
    verb = "Would remove" if dry_run else "Removed"
    console.print(
        f"{verb} {counted(len(done.removed), 'backup')} and {counted(done.files, 'file')}, {size(done.size)}; "
        f"left: {counted(len(done.kept), 'backup')}.",
        highlight=False,
    )
