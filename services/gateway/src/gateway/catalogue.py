"""What is installed, asked of the registry and the dataset service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from gateway.jobs.room import Kept
from gateway.locations import Locations, Service, read
from kargah.access.service_auth import ServiceAuth
from kargah.clients.service_http import service_client
from kargah.contracts.base import Page
from kargah.contracts.datasets import DatasetLocation, DatasetVersionView, DatasetView
from kargah.contracts.models import ModelLocation, ModelVersionView, ModelView
from kargah.contracts.storage import StorageView
from kargah.domain.scope import current_project

# Whoever submits a job waits for these answers, which take milliseconds.
_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
_PAGE = 200
_MAX_PAGES = 50
_CONFIG = "config.json"
_CONFIG_BYTES = 1 << 20

Answer = TypeVar("Answer", bound=BaseModel)


class Catalogue:
    """Reads both services. Every call raises Unavailable when they do not answer as they should."""

    def __init__(self, registry_url: str, datasets_url: str, secret: str | None = None) -> None:
        """`secret`: what tokens for the other services are signed with, where these ask for some."""
        auth = ServiceAuth(secret, "gateway")
        registry = service_client(registry_url, timeout=_TIMEOUT, auth=auth)
        datasets = service_client(datasets_url, timeout=_TIMEOUT, auth=auth)
        self._registry = Service(registry, "registry")
        self._datasets = Service(datasets, "dataset service")
        self._models = Locations(self._registry, ModelLocation)
        self._rows = Locations(self._datasets, DatasetLocation)

    def model(self, name: str, version: str | None = None) -> ModelLocation | None:
        """A version of a model (its number or an alias; the latest without) with its base, if any; None if absent.

        Which version that is, is asked anew each time; the rest, its aliases and tags too, may be of an earlier time.
        """
        return self._models.ask(f"/api/models/{quote(name)}/location", version)

    def model_config(self, version: ModelVersionView) -> Mapping[str, Any] | None:
        """What the version's config.json says of the model's shape; None where there is none that can be read."""
        if not any(file.path == _CONFIG and file.size_bytes <= _CONFIG_BYTES for file in version.files):
            return None
        path = f"/api/models/{quote(version.model)}/files/{_CONFIG}"
        response = self._registry.get(path, {"version": version.version}, {})
        if not response.is_success:
            return None
        try:
            config = json.loads(response.content)
        except ValueError:
            return None
        return config if isinstance(config, dict) else None

    def dataset(self, name: str, version: int | None = None) -> DatasetVersionView | None:
        """A version of a dataset, the latest without `version`; None if absent. See `model`."""
        location = self._rows.ask(f"/api/datasets/{quote(name)}/location", version)
        return None if location is None else location.version

    def storage(self, what: Kept) -> StorageView | None:
        """What the project at hand keeps of them; None where nobody logs in."""
        owner = self._datasets if what == "datasets" else self._registry
        page = _ask(owner, Page[StorageView], f"/api/storage/{what}", {})
        items = [] if page is None else page.items
        return next((one for one in items if one.project == current_project()), None)

    def models(self) -> Iterator[ModelView]:
        """All installed models, newest first."""
        return _pages(self._registry, Page[ModelView], "/api/models")

    def datasets(self) -> Iterator[DatasetView]:
        """All datasets, newest first."""
        return _pages(self._datasets, Page[DatasetView], "/api/datasets")

    def close(self) -> None:
        self._registry.close()
        self._datasets.close()


def _pages(service: Service, page: type[Page[Any]], path: str) -> Iterator[Any]:
    query: dict[str, Any] = {"limit": _PAGE}
    for _ in range(_MAX_PAGES):
        answer = _ask(service, page, path, query)
        if answer is None:
            return
        yield from answer.items
        if answer.next_cursor is None:
            return
        query["cursor"] = answer.next_cursor


def _ask(service: Service, model: type[Answer], path: str, query: dict[str, Any]) -> Answer | None:
    """None for a 404."""
    response = service.get(path, query, {})
    return None if response.status_code == httpx.codes.NOT_FOUND else read(response, service.name, model)
