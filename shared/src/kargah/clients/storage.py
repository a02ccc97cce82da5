"""`client.storage`: how many bytes projects keep, and how many they may."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

from kargah.clients.transport import Transport
from kargah.contracts.base import Page
from kargah.contracts.storage import StorageLimit, StorageView

Kept = Literal["datasets", "models"]
KEPT: tuple[Kept, ...] = ("datasets", "models")


class Storage:
    """Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def view(self, what: Kept) -> Page[StorageView]:
        """The project's; those of all projects for who looks after the platform."""
        return self._transport.ask(Page[StorageView], "GET", f"/api/storage/{what}")

    def limit(self, what: Kept, project: str, max_bytes: int | None) -> StorageView:
        """So many bytes from now on; None: as much as everybody."""
        body = StorageLimit(max_bytes=max_bytes).model_dump(by_alias=True)
        return self._transport.ask(StorageView, "PUT", f"/api/storage/{what}/{quote(project, safe='')}", json=body)
