"""Repairs and splits: asked for, then looked at until they have ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kargah.clients.transport import ApiError, Transport, given, place
from kargah.contracts.base import Page
from kargah.contracts.changes import ChangeView
from kargah.contracts.problem import Problem

CHANGES = "/api/datasets/changes"
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 1.0
OnChange = Callable[[ChangeView], None]
"""Hears how far a change is."""


class Changes:
    """Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def make(self, dataset: str, what: str, body: dict[str, Any], on_change: OnChange | None = None) -> ChangeView:
        """Have `what` (repairs, splits) done and wait for its end. Raises ApiError with what went wrong."""
        view = self._transport.ask(ChangeView, "POST", f"/api/datasets/{place(dataset)}/{what}", json=body)
        return self.wait(view, on_change)

    def wait(self, view: ChangeView, on_change: OnChange | None = None) -> ChangeView:
        """The change, done. Raises ApiError when it failed or was cancelled."""
        own, pause = view.id, _FIRST_PAUSE
        while view.state in ("waiting", "working"):
            if on_change is not None:
                on_change(view)
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, 1.5 * pause)
            view = self._transport.patiently(lambda: self.get(own))
        if on_change is not None:
            on_change(view)
        if view.state != "done":
            raise ApiError(view.problem or _cancelled(view))
        return view

    def get(self, change_id: str) -> ChangeView:
        """How far it is."""
        return self._transport.ask(ChangeView, "GET", f"{CHANGES}/{place(change_id)}")

    def list(self, dataset: str | None = None, *, limit: int = 20) -> Page[ChangeView]:
        """The newest, of one dataset or of all."""
        query = given({"limit": limit, "dataset": dataset})
        return self._transport.ask(Page[ChangeView], "GET", CHANGES, params=query)

    def cancel(self, change_id: str) -> ChangeView:
        """Have nothing made of it."""
        return self._transport.ask(ChangeView, "POST", f"{CHANGES}/{place(change_id)}/cancel")


def _cancelled(view: ChangeView) -> Problem:
    detail = f"the {view.kind} of {view.dataset} was cancelled"
    return Problem(title="Conflict", status=409, code="cancelled", detail=detail, hint="ask for it again")
