"""The key of a place of backups. A random one encrypts everything; it is itself encrypted with the password.

So the password can be changed without writing everything anew. `TARGET/keys/` holds a file for each password, in
rclone's own format: `rclone cat` of a crypt remote reads it without Kargah.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kargah.backup import rclone
from kargah.backup.errors import BackupError, WrongPassword
from kargah.backup.rclone import RcloneFailed

_KEYS = "kargahkeys:"
DATA = "kargahdata:"
_KEY_LENGTH = 32


def data_settings(target: str, key: str) -> Mapping[str, str]:
    """What lets rclone read and write `DATA`."""
    return _crypt("KARGAHDATA", f"{located(target)}/data", key)


def find_key(target: str, password: str) -> str:
    """The key of the backups at `target`. Raises WrongPassword, BackupError when there are none, TargetUnreachable."""
    settings = _key_settings(target, password)
    names = _key_files(settings)
    if not names:
        raise BackupError(f"There is no backup at {target}.")
    for name in names:
        with suppress(ValueError, KeyError):
            try:
                return str(json.loads(rclone.run("cat", _KEYS + name, settings=settings))["key"])
            except RcloneFailed as error:
                if not _is_undecipherable(error):
                    raise
    raise WrongPassword(
        f"The password does not open the backups at {target} (or the files in its folder `keys` are damaged)."
    )


def make_key(target: str, password: str) -> str:
    """A key for a new place, which must be empty. Raises BackupError, TargetUnreachable."""
    settings = _key_settings(target, password)
    if _listed(located(target), {}):
        raise BackupError(f"{target} holds other files and no backup of Kargah: name an empty folder.")
    key = secrets.token_urlsafe(_KEY_LENGTH)
    _write(settings, key)
    return key


def has_key(target: str) -> bool:
    """Whether there are backups at `target`, or were meant to be. Raises TargetUnreachable."""
    return bool(_listed(f"{located(target)}/keys", {}))


def change_password(target: str, old: str, new: str) -> None:
    """From now on `new` opens the backups, and `old` does not. Killed in between, both do.

    Raises WrongPassword, TargetUnreachable.
    """
    key = find_key(target, old)
    before = _key_files(_key_settings(target, old))
    _write(_key_settings(target, new), key)
    for name in before:
        rclone.run("deletefile", f"{located(target)}/keys/{name}", settings={})


def located(target: str) -> str:
    """`target` for rclone: `remote:path` as it is, a folder of this machine by its whole path."""
    if ":" in target:
        return target.rstrip("/")
    return str(Path(target).expanduser().resolve())


def _write(settings: Mapping[str, str], key: str) -> None:
    name = f"key-{secrets.token_hex(4)}"
    rclone.run("rcat", _KEYS + name, settings=settings, given=json.dumps({"key": key}).encode())


def _key_files(settings: Mapping[str, str]) -> list[str]:
    return _listed(_KEYS, settings)


def _listed(place: str, settings: Mapping[str, str]) -> list[str]:
    try:
        return rclone.run("lsf", place, settings=settings).decode().splitlines()
    except RcloneFailed as error:
        if error.absent:
            return []
        raise


def _is_undecipherable(error: RcloneFailed) -> bool:
    return any(words in error.said for words in ("bad password", "not an encrypted file", "bad magic", "too short"))


def _key_settings(target: str, password: str) -> Mapping[str, str]:
    # File names stay readable, so that a wrong password can be told from an empty place.
    plain = {"FILENAME_ENCRYPTION": "off", "DIRECTORY_NAME_ENCRYPTION": "false", "SUFFIX": "none"}
    named = {f"RCLONE_CONFIG_KARGAHKEYS_{name}": value for name, value in plain.items()}
    return {**_crypt("KARGAHKEYS", f"{located(target)}/keys", password), **named}


def _crypt(name: str, remote: str, password: str) -> dict[str, str]:
    prefix = f"RCLONE_CONFIG_{name}_"
    return {f"{prefix}TYPE": "crypt", f"{prefix}REMOTE": remote, f"{prefix}PASSWORD": rclone.obscured(password)}
