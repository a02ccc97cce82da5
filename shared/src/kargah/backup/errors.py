"""What goes wrong with a backup, in words for its user."""

from __future__ import annotations

from typing import ClassVar


class BackupError(RuntimeError):
    """A backup, a check or a restore cannot go on; the message says why and what to do. `code` is for programs."""

    code: ClassVar[str] = "backup_refused"


class TargetUnreachable(BackupError):
    """The place of the backups does not answer, or rclone does not know it."""

    code = "target_unreachable"


class WrongPassword(BackupError):
    """No key of the place of the backups opens with the given password."""

    code = "wrong_password"


class Damaged(BackupError):
    """Something in the place of the backups is not what was saved there."""

    code = "damaged"
