"""Questions to another service of the platform."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from kargah.domain.errors import Unavailable
from kargah.domain.hosts import any_https
from kargah.telemetry.ids import pass_on

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_LATER = "Try again in a moment."
Answer = TypeVar("Answer", bound=BaseModel)


class Peer:
    """Every call raises Unavailable when the service, called `name` in messages, does not answer as it should."""

    def __init__(self, name: str, url: str, auth: httpx.Auth | None = None) -> None:
        self._name = name
        hooks = {"request": [pass_on]}
        self._client = httpx.Client(
            base_url=url, timeout=_TIMEOUT, trust_env=False, auth=auth, event_hooks=hooks, verify=any_https(url)
        )

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
