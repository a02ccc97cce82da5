"""Paths of files inside a model folder: relative, plain, and the same on every file system."""

from __future__ import annotations

import unicodedata

_MAX_PART = 255
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10))})


def problem_with_path(path: str) -> str | None:
    """Why `path` may not name a file inside a folder, or None where it may.

    Accepted are `a/b.json` and the like: no leading slash, no `..` or `.`, no backslash, no control character.
    """
    if not path or path.startswith("/"):
        return "must be relative"
    if "\\" in path or ":" in path:
        return "must not contain a backslash or a colon"
    if any(unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in path):
        return "must not contain control or invisible characters"
    for part in path.split("/"):
        if (problem := _problem_with_part(part)) is not None:
            return problem
    return None


def _problem_with_part(part: str) -> str | None:
    if part in ("", ".", ".."):
        return "must not contain an empty, `.` or `..` part"
    if len(part.encode()) > _MAX_PART:
        return f"has a part longer than {_MAX_PART} bytes"
    if part != part.strip() or part.endswith("."):
        return "has a part that begins or ends with a space, or ends with a dot"
    if part.split(".")[0].lower() in _DEVICES:
        return "has a part that is a reserved device name"
    return None
