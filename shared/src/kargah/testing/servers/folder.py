"""A folder for servers under test that drop to another user: pytest's own folders may not be entered by one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server_folder() -> Iterator[Path]:
    """A fresh folder that every user may enter; deleted with all its content at the end."""
    with tempfile.TemporaryDirectory(prefix="kargah-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder
