"""HTTP to the gateway: one place turns problem+json into exceptions."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from kargah.contracts.problem import Problem
from kargah.domain.hosts import any_https, is_loopback
from kargah.domain.ids import new_id

Answer = TypeVar("Answer", bound=BaseModel)
Result = TypeVar("Result")
PAUSE_SECONDS = 1.0
PATIENCE = 30


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


def is_away(error: ApiError | Unreachable) -> bool:
    """Whether the same call may well be answered in a moment: a gateway that restarts, a database that is away."""
    return isinstance(error, Unreachable) or error.problem.status == httpx.codes.SERVICE_UNAVAILABLE


def place(name: str) -> str:
    """A name or path as a part of a URL: `#` and `?` in it stay what they are."""
    return quote(name, safe="/@")


class Transport:
    """A connection pool to one gateway; safe to share between threads. `auth` says who asks: an API key's, say."""

    def __init__(
        self, url: str, timeout: float, *, auth: httpx.Auth | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        self.url = url.rstrip("/")
        remote = not is_loopback(urlsplit(self.url).hostname or "")
        self._http = httpx.Client(
            base_url=self.url,
            timeout=httpx.Timeout(timeout, connect=5.0),
            auth=auth,
            headers=headers,
            trust_env=remote,  # a proxy of the environment knows no way back to this machine
            verify=any_https(self.url),
        )

    def close(self) -> None:
        self._http.close()

    def use(self, headers: Mapping[str, str]) -> None:
        """Send these headers with every request from now on."""
        self._http.headers.update(headers)

    def ask(self, returns: type[Answer], method: str, path: str, **options: Any) -> Answer:
        """Send a request and read its JSON answer as `returns`. Raises ApiError or Unreachable."""
        return returns.model_validate_json(self.send(method, path, **options).content)

    def create(self, returns: type[Answer], path: str, body: dict[str, Any]) -> Answer:
        """POST something that must be made once: an idempotency key lets a lost answer be asked for again."""
        headers = {"Idempotency-Key": new_id("key")}
        return self.patiently(lambda: self.ask(returns, "POST", path, json=body, headers=headers), tries=3)

    def patiently(self, call: Callable[[], Result], *, tries: int = PATIENCE) -> Result:
        """`call`, tried again while the platform is away, a second apart. Raises what the last try raised."""
        for _ in range(tries - 1):
            try:
                return call()
            except (ApiError, Unreachable) as error:
                if not is_away(error):
                    raise
            time.sleep(PAUSE_SECONDS)
        return call()

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


def given(members: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a query or a body that are not None."""
    return {name: value for name, value in members.items() if value is not None}


def or_none(call: Callable[[], Result]) -> Result | None:
    """What `call` returns; None where there is no such thing (404). Raises ApiError, Unreachable for all else."""
    try:
        return call()
    except ApiError as error:
        if error.problem.status == httpx.codes.NOT_FOUND:
            return None
        raise


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
