"""Questions to another service of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from kargah.clients.service_http import service_client
from kargah.domain.errors import Unavailable

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_LATER = "Try again in a moment."
Answer = TypeVar("Answer", bound=BaseModel)


class Peer:
    """Every call raises Unavailable when the service, called `name` in messages, does not answer as it should."""

    def __init__(self, name: str, url: str, auth: httpx.Auth | None = None) -> None:
        self._name = name
        self._client = service_client(url, timeout=_TIMEOUT, auth=auth)

    def ask(self, answer: type[Answer], path: str, query: Mapping[str, str]) -> Answer | None:
        """The answer to a GET; None where there is no such thing."""
        try:
            response = self._client.get(path, params=dict(query))
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            if response.is_success:
                return answer.model_validate_json(response.content)
        except (httpx.TransportError, ValidationError) as error:
            raise Unavailable(f"The {self._name} does not answer as it should.", hint=_LATER) from error
        raise Unavailable(f"The {self._name} answered {response.status_code}.", hint=_LATER)

    def close(self) -> None:
        self._client.close()
