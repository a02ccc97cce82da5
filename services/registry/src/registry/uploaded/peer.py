"""What the dataset service tells of its datasets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

from kargah.clients.peer import Peer
from kargah.contracts.base import Page
from kargah.contracts.datasets import DatasetLocation, DatasetVersionView, DatasetView

_PAGE = 200


class DatasetPeer:
    """Every call raises Unavailable when the service does not answer as it should."""

    def __init__(self, url: str, auth: httpx.Auth | None = None) -> None:
        self._peer = Peer("dataset service", url, auth)

    def get(self, name: str, number: int | None = None) -> DatasetView | None:
        """A dataset with that version of it in `latest`, or with the latest; None if absent."""
        return self._peer.ask(DatasetView, _path(name), _query(number))

    def location(self, name: str, number: int) -> DatasetLocation | None:
        """Where the rows of a version lie; None if absent."""
        return self._peer.ask(DatasetLocation, f"{_path(name)}/location", _query(number))

    def versions(self, name: str) -> Iterator[DatasetVersionView]:
        """All versions, newest first; none of a dataset that is absent."""
        return self._pages(Page[DatasetVersionView], f"{_path(name)}/versions", {})

    def all(self, search: str | None) -> Iterator[DatasetView]:
        """All datasets, newest first; those with `search` in their name."""
        return self._pages(Page[DatasetView], "/api/datasets", {"search": search} if search else {})

    def _pages(self, page: type[Page[Any]], path: str, query: dict[str, str]) -> Iterator[Any]:
        query = {**query, "limit": str(_PAGE)}
        while (answer := self._peer.ask(page, path, query)) is not None:
            yield from answer.items
            if answer.next_cursor is None:
                return
            query["cursor"] = answer.next_cursor


def _path(name: str) -> str:
    return f"/api/datasets/{quote(name)}"


def _query(number: int | None) -> dict[str, str]:
    return {} if number is None else {"version": str(number)}
