"""What backups read from the environment: the password, the S3 store of a distributed stack, and rclone's own."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from kargah.backup.errors import BackupError

_HINT = "set KARGAH_BACKUP_PASSWORD, or KARGAH_BACKUP_PASSWORD_FILE to a file that holds it"


class BackupSettings(BaseSettings):
    """`KARGAH_BACKUP_PASSWORD`, or `KARGAH_BACKUP_PASSWORD_FILE`: a file whose first line it is."""

    model_config = SettingsConfigDict(env_prefix="KARGAH_")

    backup_password: SecretStr | None = Field(default=None)
    backup_password_file: Path | None = None

    def password(self) -> str:
        """Raises BackupError when there is none."""
        if self.backup_password_file is not None:
            return password_in(self.backup_password_file)
        if self.backup_password is None or not self.backup_password.get_secret_value():
            raise BackupError(f"Backups are encrypted, and there is no password: {_HINT}.")
        return self.backup_password.get_secret_value()


def password_in(file: Path) -> str:
    """The first line of `file`. Raises BackupError when it cannot be read or is empty."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BackupError(f"The password cannot be read from {file}: {error}") from error
    if not lines or not lines[0]:
        raise BackupError(f"{file} holds no password: its first line is empty.")
    return lines[0]


def rclone_environment() -> dict[str, str]:
    """The caller's environment (rclone's remotes, proxies, cloud credentials) without Kargah's own secrets."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("KARGAH_", "RCLONE_RC"))}


def dump_environment(password: str) -> dict[str, str]:
    """For pg_dump: the password, which no command line shows, and nothing that changes where it connects to."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KARGAH_", "PG"))}
    return kept | {"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}
