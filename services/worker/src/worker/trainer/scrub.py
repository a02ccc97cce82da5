"""What is handed over names models by their names, not by this machine's folders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path


def scrub(folder: Path, names: Mapping[Path, str]) -> None:
    """In the JSON files of `folder`, put each local path's name in its place."""
    for path in folder.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        for local, name in names.items():
            text = text.replace(json.dumps(str(local))[1:-1], json.dumps(name)[1:-1])
        path.write_text(text, encoding="utf-8")
