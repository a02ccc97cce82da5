"""The registry and the dataset service over HTTP: where inputs lie, and how a result becomes a version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from kargah.access.service_auth import ServiceAuth
from kargah.clients.service_http import service_client
from kargah.contracts.base import Wire
from kargah.contracts.datasets import DatasetLocation, DatasetVersionView
from kargah.contracts.jobs import DatasetRef, ModelRef
from kargah.contracts.models import ModelLocation, ModelVersionCreate, ModelVersionView
from kargah.contracts.problem import Problem
from kargah.contracts.runs import FileEntry
from kargah.domain.errors import Unavailable
from worker.agent.dataset_parts import PARTS_FROM, send_in_parts
from worker.agent.refusals import PeerRefused, told

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
# The answer comes when every row has been checked.
_UPLOAD_TIMEOUT = httpx.Timeout(600.0, connect=5.0)
_PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
_CHUNK = 1 << 20
Answer = TypeVar("Answer", bound=Wire)


@dataclass(frozen=True)
class Peers:
    """Each call retries for some seconds, then raises Unavailable. `pause(seconds)` may raise to give up."""

    client: httpx.Client
    registry_url: str
    datasets_url: str
    auth: ServiceAuth

    @classmethod
    def connect(cls, registry_url: str, datasets_url: str, secret: str | None = None) -> Peers:
        """Connections are made on demand. `secret`: what tokens are signed with, where the services ask for some."""
        client = service_client(registry_url, datasets_url, timeout=_TIMEOUT)
        return cls(client, registry_url.rstrip("/"), datasets_url.rstrip("/"), ServiceAuth(secret, "worker"))

    def of(self, project: str) -> Peers:
        """The same services, as `project` sees them."""
        return replace(self, auth=self.auth.of(project))

    def model_location(self, ref: ModelRef) -> ModelLocation:
        url = f"{self.registry_url}/api/models/{quote(ref.name)}/location?version={ref.version}"
        return self._read(lambda: self.client.get(url, auth=self.auth), ModelLocation)

    def dataset_location(self, ref: DatasetRef) -> DatasetLocation:
        url = f"{self.datasets_url}/api/datasets/{quote(ref.name)}/location?version={ref.version}"
        return self._read(lambda: self.client.get(url, auth=self.auth), DatasetLocation)

    def put_blob(self, folder: Path, entry: FileEntry, check: Callable[[int], None]) -> None:
        """Store one file under its sha256, unless it is there; the registry verifies. `check` may raise to abort."""
        url = f"{self.registry_url}/api/blobs/{entry.sha256}"
        there = _with_retries(lambda: self.client.head(url, auth=self.auth))
        if there.status_code == HTTPStatus.NOT_FOUND:
            headers = {"content-type": "application/octet-stream", "content-length": str(entry.size_bytes)}
            path = folder / entry.path
            _answer(
                _with_retries(
                    lambda: self.client.put(url, content=_chunks(path, check), headers=headers, auth=self.auth)
                )
            )
        else:
            _answer(there)

    def commit_version(self, model: str, new: ModelVersionCreate) -> ModelVersionView:
        """Idempotent by the key in `new`."""
        url = f"{self.registry_url}/api/models/{quote(model)}/versions"
        body = new.model_dump(mode="json", by_alias=True)
        return self._read(lambda: self.client.post(url, json=body, auth=self.auth), ModelVersionView)

    def put_dataset(
        self, name: str, path: Path, sha256: str, check: Callable[[int], None], options: Mapping[str, str]
    ) -> DatasetVersionView:
        """Send rows; the version that holds them, which may be an earlier one. `check` may raise to abort; `options`:
        `format` and `map`, as an upload takes them."""
        if path.stat().st_size >= PARTS_FROM:
            wanted = {"name": name, "sha256": sha256, **options}
            if (made := send_in_parts(self.datasets_url, path, wanted, check, self.auth)) is not None:
                return made
        return self._put_dataset(name, path, check, options)

    def _put_dataset(
        self, name: str, path: Path, check: Callable[[int], None], options: Mapping[str, str]
    ) -> DatasetVersionView:
        url = f"{self.datasets_url}/api/datasets/{quote(name)}/content"
        headers = {"content-type": "application/octet-stream", "content-length": str(path.stat().st_size)}
        query = {"filename": path.name, **options}
        return self._read(
            lambda: self.client.put(
                url,
                params=query,
                content=_chunks(path, check),
                headers=headers,
                timeout=_UPLOAD_TIMEOUT,
                auth=self.auth,
            ),
            DatasetVersionView,
        )

    def _read(self, call: Callable[[], httpx.Response], answer: type[Answer]) -> Answer:
        return answer.model_validate_json(_answer(_with_retries(call)).content)


def _with_retries(call: Callable[[], httpx.Response]) -> httpx.Response:
    for pause in (*_PAUSES, None):
        problem = "no answer"
        try:
            response = call()
            if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                return response
            problem = f"{response.request.url.host} answered {response.status_code}"
        except httpx.TransportError as error:
            problem = f"{type(error).__name__}: {error}"
        if pause is not None:
            time.sleep(pause)
    raise Unavailable(f"A service of the platform does not answer: {problem}", hint="The job is tried again.")


def _answer(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    raise PeerRefused(response.status_code, _detail(response))


def _detail(response: httpx.Response) -> str:
    """The problem's own words, with each field it names, where it is a problem+json."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return f"{response.request.method} {response.request.url.path} answered {response.status_code}"
    return told(problem)


def _chunks(path: Path, check: Callable[[int], None]) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            check(len(chunk))
            yield chunk
