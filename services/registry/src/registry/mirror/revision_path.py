"""`revision/path` of an address, as far as it can be told apart without knowing the branches."""

from __future__ import annotations

import re

_SHA = re.compile(r"[0-9a-f]{40}")
_FULL = re.compile(r"refs/(?:heads|tags|pr|convert)/[^/]+")


def is_sha(revision: str) -> bool:
    """Whether it names a commit for ever."""
    return _SHA.fullmatch(revision) is not None


def split(rest: str) -> tuple[str, str]:
    """The revision and the path: `refs/pr/1/a/b` is `a/b` at `refs/pr/1`, else the first part is the revision."""
    full = _FULL.match(rest)
    revision = full[0] if full is not None else rest.partition("/")[0]
    return revision, rest[len(revision) :].strip("/")
