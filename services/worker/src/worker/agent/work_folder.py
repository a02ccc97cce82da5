"""Each attempt's own folder, and the removal of those that a killed agent left behind."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = ".lock"


@contextmanager
def work_folder(root: Path, name: str) -> Iterator[Path]:
    """A fresh folder `root / name`, locked while in use and removed at the end."""
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    with _locked(folder):
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def sweep(root: Path) -> int:
    """Remove folders under `root` that no living agent holds; how many."""
    removed = 0
    for folder in root.iterdir() if root.exists() else ():
        try:
            with _locked(folder):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        except (BlockingIOError, FileNotFoundError, NotADirectoryError):
            continue
    return removed


def lies_within(folder: Path, path: str) -> bool:
    """Whether `path` is below `folder`, links followed: what a trainer names is read, uploaded and removed."""
    resolved, root = Path(path).resolve(), folder.resolve()
    return root != resolved and root in resolved.parents


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Raises BlockingIOError when another process holds it. The lock goes with the process, however it ends."""
    lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(lock)
