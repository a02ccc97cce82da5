"""What the upstream hub tells: repositories, their files, small configurations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import httpx2
from huggingface_hub import HfApi, ModelInfo, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from kargah.domain.errors import FieldError, Forbidden, Invalid, NotFound, Unavailable

_TIMEOUT = httpx.Timeout(20.0, connect=5.0)
_MAX_CONFIG_BYTES = 8 << 20


class UpstreamClient:
    """Every call raises NotFound, Forbidden, Invalid or Unavailable in words that say what to do."""

    def __init__(self, endpoint: str, token: str | None) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._token = token
        self._api = HfApi(endpoint=self.endpoint, token=token or False)

    def search(self, text: str, limit: int) -> list[ModelInfo]:
        """The most downloaded models that match."""
        with _told(self.endpoint, text):
            return list(self._api.list_models(search=text, limit=limit, sort="downloads"))

    def model(self, repo: str, revision: str | None) -> ModelInfo:
        """A repository with its files at one commit."""
        with _told(self.endpoint, repo):
            return self._api.model_info(repo, revision=revision, files_metadata=True, timeout=20)

    def config(self, repo: str, commit: str, path: str) -> Mapping[str, Any]:
        """A small JSON object of a repository; Invalid when it is none."""
        url = hf_hub_url(repo, path, revision=commit, endpoint=self.endpoint)
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            with (
                httpx.Client(timeout=_TIMEOUT, follow_redirects=True) as http,
                http.stream("GET", url, headers=headers) as answer,
            ):
                answer.raise_for_status()
                value = json.loads(_bounded(answer))
        except httpx.HTTPError as error:
            raise _silent(self.endpoint, error) from error
        except (ValueError, RecursionError) as error:
            raise _bad(path) from error
        if not isinstance(value, dict):
            raise _bad(path)
        return value


def _bounded(answer: httpx.Response) -> bytes:
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
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        raise _silent(endpoint, error) from error


def _silent(endpoint: str, error: Exception) -> Unavailable:
    hint = "Try again later, or set KARGAH_UPSTREAM_URL (or HF_ENDPOINT) to a hub that can be reached from here."
    return Unavailable(f"The hub at {endpoint} does not answer as it should ({type(error).__name__}).", hint=hint)


def _bad(path: str) -> Invalid:
    return Invalid(f"{path} of the repository is no JSON object of less than {_MAX_CONFIG_BYTES >> 20} MiB.")
