"""Rows of a corpus into a file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def write_rows(target: Path, rows: Iterable[dict[str, str]]) -> int:
    """One JSON object a line, in UTF-8; how many. Raises OSError, and what `rows` raise."""
    count = 0
    with target.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count
