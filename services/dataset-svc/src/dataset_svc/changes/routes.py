"""The HTTP face of repairs and splits."""

from __future__ import annotations

from pydantic import Field

from dataset_svc.changes.service import Changes
from kargah.contracts.base import Page, WireRequest
from kargah.contracts.changes import ChangeView
from kargah.contracts.datasets import MAX_PLACES_TEXT, RepairRequest, SplitRequest
from kargah.web.api import Api, Reply

_CHANGES = "/api/datasets/changes"
_CHANGE = f"{_CHANGES}/<change_id>"
_LARGEST = MAX_PLACES_TEXT + (1 << 20)


class ChangesQuery(WireRequest):
    """The newest `limit`, of all datasets or of one."""

    dataset: str | None = Field(default=None, min_length=1, max_length=300)
    limit: int = Field(default=20, ge=1, le=200)


def add_changes(api: Api, changes: Changes) -> None:
    """Every route of changes."""

    @api.post("/api/datasets/<path:name>/repairs", returns=ChangeView, status=202, body=RepairRequest)
    def repair_dataset(name: str, body: RepairRequest) -> Reply:
        """Have the rows of a version mended into a new one; the answer tells where to ask how far it is."""
        return _accepted(changes.repair(name, body))

    @api.post(
        "/api/datasets/<path:name>/splits", returns=ChangeView, status=202, body=SplitRequest, body_limit=_LARGEST
    )
    def split_dataset(name: str, body: SplitRequest) -> Reply:
        """Have a version's rows divided into train, validation and test, as a new version."""
        return _accepted(changes.split(name, body))

    @api.get(_CHANGES, returns=Page[ChangeView], query=ChangesQuery)
    def list_dataset_changes(query: ChangesQuery) -> Page[ChangeView]:
        """Repairs and splits that wait, work, or have ended within a week; the newest first."""
        return changes.newest(query.dataset, query.limit)

    @api.get(_CHANGE, returns=ChangeView)
    def get_dataset_change(change_id: str) -> ChangeView:
        """How far a repair or a split is, then its version or its problem."""
        return changes.get(change_id)

    @api.post(f"{_CHANGE}/cancel", returns=ChangeView)
    def cancel_dataset_change(change_id: str) -> ChangeView:
        """Have no version made of it; 409 when it has ended."""
        return changes.cancel(change_id)


def _accepted(view: ChangeView) -> Reply:
    return Reply(view, 202, {"location": f"{_CHANGES}/{view.id}"})
