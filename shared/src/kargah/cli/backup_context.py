"""What `kargah backup` and `kargah restore` share: where the backups are, the password, a bar, and errors in words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, TaskID, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.progress import Progress as Bars

from kargah.backup.config import BackupSettings, password_in
from kargah.backup.errors import BackupError, TargetUnreachable
from kargah.backup.progress import Progress, Silent
from kargah.cli.context import ExitCode, complain, errors

target_option = typer.Option(
    "--to",
    "--from",
    metavar="TARGET",
    envvar="KARGAH_BACKUP_TARGET",
    help="Where the backups are: a folder, or `remote:path` as `rclone config` knows it (S3, Google Drive, SFTP...).",
)
TargetOption = Annotated[str, target_option]
PasswordFileOption = Annotated[
    Path | None, typer.Option(help="A file whose first line is the password; else KARGAH_BACKUP_PASSWORD[_FILE].")
]
SuperuserOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="KARGAH_SUPERUSER_URL",
        help="Of a stack of your own servers: postgresql:// of a superuser; its store by KARGAH_S3_ENDPOINT...",
    ),
]
NameOption = Annotated[str, typer.Option("--database-name", help="The stack's database there.")]


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong becomes one message and an exit code."""
    try:
        yield
    except TargetUnreachable as error:
        complain(str(error), error.code, HTTPStatus.SERVICE_UNAVAILABLE)
        raise typer.Exit(ExitCode.UNREACHABLE) from error
    except BackupError as error:
        complain(str(error), error.code)
        raise typer.Exit(ExitCode.REFUSED) from error


def password(file: Path | None) -> str:
    """Raises BackupError."""
    return BackupSettings().password() if file is None else password_in(file)


@contextmanager
def shown(quiet: bool) -> Iterator[Progress]:
    """A bar with speed and the time that is left, where somebody looks."""
    if quiet or not errors.is_terminal:
        yield Silent()
        return
    columns = (
        TextColumn("{task.description:9}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=errors, transient=True) as bars:
        yield _Shown(bars)


class _Shown:
    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, what: str, count: int, size: int) -> None:
        if self._task is not None:
            self._bars.remove_task(self._task)
        label = f"{what} {count:,}" if count else what
        self._task = self._bars.add_task(label, total=size or None)

    def advance(self, size: int) -> None:
        if self._task is not None:
            self._bars.advance(self._task, size)
