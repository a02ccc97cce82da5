"""What the registry and the dataset service refuse, in the words that the job will show."""

from __future__ import annotations

from kargah.contracts.problem import Problem, ProblemField

_ERRORS_SHOWN = 5


class PeerRefused(Exception):
    """A peer answered that this cannot be: asking again will not help. `status` as of HTTP."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def told(problem: Problem) -> str:
    """The problem's own words, with each field it names."""
    named = "; ".join(_place(error) + error.message for error in problem.errors[:_ERRORS_SHOWN])
    return " ".join(part for part in (problem.detail, named) if part)


def _place(error: ProblemField) -> str:
    return f"{error.field}: " if error.line is None else f"line {error.line}, {error.field}: "
