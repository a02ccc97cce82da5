"""HTTP to the gateway: one place turns problem+json into exceptions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from kargah.contracts.problem import Problem

Answer = TypeVar("Answer", bound=BaseModel)


class ApiError(Exception):
    """The platform refused: `problem` tells what happened, where, and what to do."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail if problem.hint is None else f"{problem.detail} {problem.hint}")
        self.problem = problem


class Unreachable(Exception):
    """Nothing answers at the URL."""

    def __init__(self, url: str, cause: Exception) -> None:
        super().__init__(f"Nothing answers at {url} ({cause}). Start it with `kargah up`, or set KARGAH_URL.")
        self.url = url


class Transport:
    """A connection pool to one gateway; safe to share between threads."""

    def __init__(self, url: str, timeout: float) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=self.url, timeout=httpx.Timeout(timeout, connect=5.0))

    def close(self) -> None:
        self._http.close()

    def ask(self, returns: type[Answer], method: str, path: str, **options: Any) -> Answer:
        """Send a request and read its JSON answer as `returns`. Raises ApiError or Unreachable."""
        return returns.model_validate_json(self.send(method, path, **options).content)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request; the whole answer, with status below 400. Raises ApiError or Unreachable."""
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error
        raise_for_problem(response)
        return response

    @contextmanager
    def stream(self, method: str, path: str, **options: Any) -> Iterator[httpx.Response]:
        """Send a request whose answer is read piece by piece. Raises ApiError or Unreachable."""
        try:
            with self._http.stream(method, path, **options) as response:
                if response.status_code >= 400:
                    response.read()
                    raise_for_problem(response)
                yield response
        except httpx.TransportError as error:
            raise Unreachable(self.url, error) from error


def raise_for_problem(response: httpx.Response) -> None:
    """Raise ApiError for a status of 400 or more; an answer that is no problem document becomes one."""
    if response.status_code < 400:
        return
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        detail = f"{response.request.method} {response.request.url.path} answered {response.status_code}"
        problem = Problem(
            title=response.reason_phrase,
            status=response.status_code,
            code="http",
            detail=_openai_message(response) or detail,
        )
    raise ApiError(problem)


def _openai_message(response: httpx.Response) -> str | None:
    """The message in OpenAI's error envelope, which `/v1` uses."""
    try:
        message = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        return None
    return message if isinstance(message, str) else None
