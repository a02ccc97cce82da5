"""The mark of a restore that has begun and not ended: a stack on such a folder would show half of everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def is_unfinished(data_dir: Path) -> bool:
    """Whether a restore into the folder was begun and did not end."""
    return _mark(data_dir).exists()


@contextmanager
def restoring(data_dir: Path) -> Iterator[None]:
    """Within the block the folder is marked; it stays so when the block is left by an error, or never."""
    mark = _mark(data_dir)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    yield
    mark.unlink()


def _mark(data_dir: Path) -> Path:
    return data_dir / "run" / "restore-unfinished"
