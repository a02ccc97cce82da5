"""What a name stands for now, asked of the service that knows; what a version is, remembered: versions never change."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from gateway.breaker import Breaker
from gateway.shared_answer import SharedAnswer
from kargah.domain.errors import Unavailable
from kargah.domain.scope import current_project

_MOST_KNOWN = 1000
_PAUSE_SECONDS = 2.0

Answer = TypeVar("Answer", bound=BaseModel)


class Service:
    """One that is asked for JSON, called `name` in messages."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self.name = name
        self._client = client
        self._breaker = Breaker(name, _PAUSE_SECONDS, _seconds(client.timeout))

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, query: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
        """The answer to a GET, whatever its status. Raises Unavailable where nobody answers, or did a moment ago."""
        try:
            with self._breaker.asking():
                return self._client.get(path, params=query, headers=headers)
        except httpx.TransportError as error:
            raise _silent(self.name) from error


def _seconds(timeout: httpx.Timeout) -> float:
    return sum(part or 0.0 for part in (timeout.pool, timeout.connect, timeout.write, timeout.read))


@dataclass(frozen=True, slots=True)
class _Known(Generic[Answer]):
    etag: str
    answer: Answer


class Locations(Generic[Answer]):
    """Each question goes to the service, which answers 304 where the name stands for the version that is known here.
    Equal questions at the same time go as one."""

    def __init__(self, service: Service, model: type[Answer]) -> None:
        self._service = service
        self._model = model
        self._shared: SharedAnswer[Answer | None] = SharedAnswer()
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, _Known[Answer]] = OrderedDict()

    def ask(self, path: str, version: int | str | None) -> Answer | None:
        """None where there is none. Raises Unavailable."""
        key = (current_project(), path, version)
        return self._shared.ask(key, lambda: self._ask(key, path, {} if version is None else {"version": version}))

    def _ask(self, key: Hashable, path: str, query: Mapping[str, Any]) -> Answer | None:
        with self._lock:
            known = self._known.get(key)
        headers = {} if known is None else {"if-none-match": known.etag}
        response = self._service.get(path, query, headers)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        if response.status_code == httpx.codes.NOT_MODIFIED and known is not None:
            return known.answer
        answer = read(response, self._service.name, self._model)
        if (etag := response.headers.get("etag")) is not None:
            self._keep(key, _Known(etag, answer))
        return answer

    def _keep(self, key: Hashable, known: _Known[Answer]) -> None:
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            if len(self._known) > _MOST_KNOWN:
                self._known.popitem(last=False)


def read(response: httpx.Response, service: str, model: type[Answer]) -> Answer:
    """Its body. Raises Unavailable where the status or the body is not what it should be."""
    if not response.is_success:
        raise _silent(service, f"it answered {response.status_code}")
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise _silent(service, "its answer cannot be read") from error


def _silent(service: str, why: str = "it cannot be reached") -> Unavailable:
    return Unavailable(f"The {service} does not answer as it should: {why}.", hint="Try again in a moment.")
