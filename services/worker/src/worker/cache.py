"""The cache on a worker's disk: blobs, tokenised data, half-finished downloads; all of it can be had again."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

_PARTIAL = ".part"
_IN_USE_SECONDS = 24 * 3600.0


def trim_cache(cache_dir: Path, max_bytes: int) -> int:
    """Remove what was used least recently until the rest fits; how many files went.

    A blob that some folder links to stays, and so does a download begun within a day. Several may trim at once.
    """
    found = list(_files(cache_dir))
    excess = sum({stat.st_ino: stat.st_size for _, stat in found}.values()) - max_bytes
    removed = 0
    for path, stat in sorted(found, key=lambda file: max(file[1].st_atime, file[1].st_mtime)):
        if excess <= 0:
            break
        if _can_go(path, stat):
            path.unlink(missing_ok=True)
            excess -= stat.st_size
            removed += 1
    return removed


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Those that are still there when they are looked at."""
    for path in folder.rglob("*"):
        try:
            stat = path.lstat()
        except FileNotFoundError:
            continue
        if path.is_file() and not path.is_symlink():
            yield path, stat


def _can_go(path: Path, stat: os.stat_result) -> bool:
    under_way = path.suffix == _PARTIAL and time.time() - stat.st_mtime < _IN_USE_SECONDS
    return stat.st_nlink == 1 and not under_way
