"""Where the test servers' programs are installed."""

from __future__ import annotations

import shutil
from pathlib import Path

_INSTALLER = "deploy/dev/install-test-servers.sh"


class MissingServer(RuntimeError):
    """A real server that a test needs is not installed. That fails the test, it does not skip it."""


def installed_program(name: str, *folders: Path) -> Path:
    """The program `name` from one of `folders`, else from the path. Raises `MissingServer`."""
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    found = shutil.which(name)
    if found is None:
        raise MissingServer(f"{name} is not installed: run {_INSTALLER}")
    return Path(found)
