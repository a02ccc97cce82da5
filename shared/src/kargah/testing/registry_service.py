"""A registry in its own process, for tests that stop, kill and fuzz it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.service_process import ServiceProcess, service_process


@dataclass
class RegistryService(ServiceProcess):
    """Starts on a free port and keeps it; `client` reaches it."""

    name = "registry"
    module = "registry"

    @property
    def hub(self) -> str:
        """What the Hub's clients know as HF_ENDPOINT."""
        return f"{self.url}/hub"

    def pages(self, path: str) -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        items: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.client.get(path, params={"limit": "100", **cursor}).json()
            items += page["items"]
            if page["nextCursor"] is None:
                return items
            cursor = {"cursor": page["nextCursor"]}


def registry_service(
    postgres: EmbeddedPostgres, server: EmbeddedObjectStore, settings: Mapping[str, str]
) -> AbstractContextManager[RegistryService]:
    """One that runs, with a database and a bucket of its own."""
    return service_process(RegistryService, postgres, server, settings)
