"""What goes wrong with a stack, in words for its user."""

from __future__ import annotations


class StackError(RuntimeError):
    """The stack could not be started or stopped; the message says why and what to do."""
