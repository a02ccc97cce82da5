"""What the upstream hub tells: repositories, their files, small configurations."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx2
from huggingface_hub import ModelInfo, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # re-exported untyped
    build_hf_headers,
    hf_raise_for_status,
    validate_repo_id,
)

from kargah.domain.errors import FieldError, Forbidden, Invalid, NotFound, Unavailable

# Somebody waits for the answer: the client's own calls would try for 23 s before they tell that a hub is away.
_TIMEOUT = httpx2.Timeout(5.0, connect=3.0)
_PAUSE_SECONDS = 0.5
_MAX_CONFIG_BYTES = 8 << 20


class UpstreamClient:
    """Every call raises NotFound, Forbidden, Invalid or Unavailable in words that say what to do."""

    def __init__(self, endpoint: str, token: str | None) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._headers = build_hf_headers(token=token or False)

    def search(self, text: str, limit: int) -> list[ModelInfo]:
        """The most downloaded models that match."""
        query = {"search": text, "limit": str(limit), "sort": "downloads"}
        with _told(self.endpoint, text):
            return [_info(found) for found in self._ask("/api/models", query)][:limit]

    def model(self, repo: str, revision: str | None) -> ModelInfo:
        """A repository with its files at one commit."""
        with _told(self.endpoint, repo):
            validate_repo_id(repo)
            at = "" if revision is None else f"/revision/{quote(revision, safe='')}"
            return _info(self._ask(f"/api/models/{repo}{at}", {"blobs": "true"}))

    def config(self, repo: str, commit: str, path: str) -> Mapping[str, Any]:
        """A small JSON object of a repository; Invalid when it is none."""
        url = hf_hub_url(repo, path, revision=commit, endpoint=self.endpoint)
        try:
            with self._client() as http, http.stream("GET", url) as answer:
                answer.raise_for_status()
                value = json.loads(_bounded(answer))
        except httpx2.HTTPError as error:
            raise _silent(self.endpoint, error) from error
        except (ValueError, RecursionError) as error:
            raise _bad(path) from error
        if not isinstance(value, dict):
            raise _bad(path)
        return value

    def _ask(self, path: str, query: Mapping[str, str]) -> Any:
        """The answer's JSON; asked once more after a server's error, or where the connection broke."""
        with self._client() as http:
            try:
                answer = http.get(f"{self.endpoint}{path}", params=query)
            except (httpx2.ReadError, httpx2.RemoteProtocolError):
                answer = None
            if answer is None or answer.is_server_error:
                time.sleep(_PAUSE_SECONDS)
                answer = http.get(f"{self.endpoint}{path}", params=query)
        hf_raise_for_status(answer)
        return answer.json()

    def _client(self) -> httpx2.Client:
        return httpx2.Client(timeout=_TIMEOUT, follow_redirects=True, headers=self._headers)


def _info(found: dict[str, Any]) -> ModelInfo:
    return ModelInfo(**found)  # type: ignore[no-untyped-call]


def _bounded(answer: httpx2.Response) -> bytes:
    data = bytearray()
    for chunk in answer.iter_bytes():
        data += chunk
        if len(data) > _MAX_CONFIG_BYTES:
            raise ValueError("too large")
    return bytes(data)


@contextmanager
def _told(endpoint: str, what: str) -> Iterator[None]:
    try:
        yield
    except GatedRepoError as error:
        hint = "Accept its licence on the hub, and give the registry and the worker an HF_TOKEN of that account."
        raise Forbidden(f"{what} is gated.", hint=hint) from error
    except RepositoryNotFoundError as error:
        hint = "Check the name (kargah hub search TEXT); a private one needs HF_TOKEN."
        raise NotFound(f"{endpoint} has no model {what!r}, or it is private.", hint=hint) from error
    except RevisionNotFoundError as error:
        raise NotFound(f"{what!r} has no such revision.") from error
    except HFValidationError as error:
        raise Invalid("No repository is called so.", errors=[FieldError("id", str(error), "bad_name")]) from error
    except (HfHubHTTPError, httpx2.HTTPError, OSError, ValueError, TypeError, KeyError) as error:
        raise _silent(endpoint, error) from error


def _silent(endpoint: str, error: Exception) -> Unavailable:
    hint = "Try again later, or set KARGAH_UPSTREAM_URL (or HF_ENDPOINT) to a hub that can be reached from here."
    return Unavailable(f"The hub at {endpoint} does not answer as it should ({type(error).__name__}).", hint=hint)


def _bad(path: str) -> Invalid:
    return Invalid(f"{path} of the repository is no JSON object of less than {_MAX_CONFIG_BYTES >> 20} MiB.")
