"""The scope: whose rows the code at hand may see.

Set where a principal becomes known (a request's guard, a background task that works for one project) and read where
rows are: `kargah.db.unit_of_work` tells it to Postgres, whose row-level security shows that project's rows and no
others. A new thread begins with `EVERY`: it is the service's own work until it says for whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Every project's rows: the service's own work, and everything where nobody logs in.
EVERY = "*"
# No project's rows: a request whose sender is not known.
NOBODY = ""
# The project of what was made where nobody logs in.
LOCAL = "local"

_project: ContextVar[str] = ContextVar("kargah_project", default=EVERY)


def current_project() -> str:
    """The name of one project, or `EVERY`, or `NOBODY`."""
    return _project.get()


def project_of_new() -> str:
    """The project that something made now belongs to: the scope's, and `LOCAL` where it is everything."""
    project = current_project()
    return LOCAL if project == EVERY else project


def set_project(project: str) -> None:
    """Work for `project` for the rest of the current context: a request's guard says so once."""
    _project.set(project)


@contextmanager
def project_scope(project: str) -> Iterator[None]:
    """Work for `project` within the block."""
    token = _project.set(project)
    try:
        yield
    finally:
        _project.reset(token)
