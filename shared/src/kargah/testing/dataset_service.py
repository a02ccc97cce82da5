"""A dataset service in its own process, for tests that stop and kill it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import httpx

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.service_process import ServiceProcess, service_process
from kargah.testing.waiting import wait_until

_CHANGE_SECONDS = 60


@dataclass
class DatasetService(ServiceProcess):
    """Starts on a free port and keeps it; `client` reaches it."""

    name = "dataset-svc"
    module = "dataset_svc"

    def put(self, name: str, data: Any, filename: str = "x.jsonl", **query: str) -> httpx.Response:
        """Upload `data` in one request."""
        return self.client.put(f"/api/datasets/{name}/content", params={"filename": filename, **query}, content=data)

    def changed(self, name: str, what: str, body: Any) -> dict[str, Any]:
        """Have `repairs` or `splits` done; the change once it has ended."""
        answer = self.client.post(f"/api/datasets/{name}/{what}", json=body)
        assert answer.status_code == 202, answer.text

        def ended() -> dict[str, Any] | None:
            view: dict[str, Any] = self.client.get(answer.headers["location"]).json()
            return None if view["state"] in ("waiting", "working") else view

        return wait_until(ended, timeout=_CHANGE_SECONDS)

    def names(self) -> list[str]:
        """Of all datasets."""
        return [item["name"] for item in self.client.get("/api/datasets").json()["items"]]


def dataset_service(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, settings: Mapping[str, str]
) -> AbstractContextManager[DatasetService]:
    """One that runs, with a database and a bucket of its own."""
    return service_process(DatasetService, postgres, server, settings)
