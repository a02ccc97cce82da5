"""Files of checkpoints and models, asked of the registry: the gateway has no key to the object store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import quote

import httpx

from kargah.access.service_auth import ServiceAuth
from kargah.clients.service_http import service_client
from kargah.domain.errors import Unavailable
from kargah.domain.scope import current_project
from kargah.ports.object_store import ObjectMissing

# The registry may wait for the object store's retries.
_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
_CHUNK = 256 << 10

Opened = tuple[Iterator[bytes], Callable[[], object]]
"""The bytes, and what closes them."""
Open = Callable[[str, int, int], Opened]
"""Of the object at a key, from the first position to before the second. Raises ObjectMissing, Unavailable."""


class StoredFiles:
    """Safe to share between threads."""

    def __init__(self, registry_url: str, secret: str | None) -> None:
        """`secret`: what tokens for the registry are signed with, where it asks for some."""
        self._client = service_client(registry_url, timeout=_TIMEOUT)
        self._auth = ServiceAuth(secret, "gateway")

    def close(self) -> None:
        self._client.close()

    def get(self, key: str, most: int) -> bytes:
        """The object at `key`, of which `most` bytes are read. Raises ObjectMissing, Unavailable."""
        chunks, close = self.reader()(key, 0, most)
        try:
            return b"".join(chunks)
        finally:
            close()

    def reader(self) -> Open:
        """Opens objects for the project at hand; while an answer is sent, nothing says any more which one that is."""
        auth = self._auth.of(current_project())
        return lambda key, start, stop: self._open(auth, f"/internal/{quote(key)}", start, stop)

    def model_reader(self, name: str, version: int) -> Open:
        """The same for the files of a model's version, each by its path there."""
        auth, files = self._auth.of(current_project()), f"/api/models/{quote(name)}/files"
        return lambda path, start, stop: self._open(auth, f"{files}/{quote(path)}?version={version}", start, stop)

    def _open(self, auth: ServiceAuth, address: str, start: int, stop: int) -> Opened:
        headers = {"range": f"bytes={start}-{stop - 1}"}
        asked = self._client.build_request("GET", address, headers=headers)
        try:
            answer = self._client.send(asked, auth=auth, stream=True)
        except httpx.TransportError as error:
            raise _silent(type(error).__name__) from error
        if answer.is_success:
            return _chunks(answer), answer.close
        answer.close()
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:  # shorter than it should be
            return iter(()), answer.close
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise ObjectMissing(address)
        raise _silent(f"it answered {answer.status_code}")


def _chunks(answer: httpx.Response) -> Iterator[bytes]:
    try:
        yield from answer.iter_raw(_CHUNK)
    except httpx.TransportError as error:
        raise _silent(type(error).__name__) from error


def _silent(why: str) -> Unavailable:
    return Unavailable(f"The registry does not give out the file: {why}.", hint="Try again in a moment.")
