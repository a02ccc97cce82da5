"""Which models there are, asked of the registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from kargah.contracts.base import Page
from kargah.contracts.models import ModelFacts, ModelLocation, ModelView
from kargah.domain.errors import NotFound, Unavailable
from kargah.domain.names import is_name

_TIMEOUT = httpx.Timeout(10.0, connect=3.0)
_PAGE = 200
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_GENERATING = ("ForCausalLM", "LMHeadModel")

Answer = TypeVar("Answer", bound=BaseModel)


class Catalogue:
    """Every call raises Unavailable when the registry does not answer as it should."""

    def __init__(self, registry_url: str) -> None:
        self._client = httpx.Client(base_url=registry_url, timeout=_TIMEOUT, trust_env=False)

    def locate(self, model_id: str) -> ModelLocation:
        """Where the version is that `name` (the latest) or `name@2` means. Raises NotFound."""
        name, _, version = model_id.partition("@")
        if not is_name(name) or (version and not _VERSION.fullmatch(version)):
            raise _absent(model_id)
        query = {"version": version} if version else {}
        location = self._ask(ModelLocation, f"/api/models/{quote(name)}/location", query)
        if location is None or not can_generate(location.version.facts):
            raise _absent(model_id)
        return location

    def models(self) -> Iterator[ModelView]:
        """All that can be talked to, newest first."""
        query: dict[str, str] = {"limit": str(_PAGE)}
        while (page := self._ask(Page[ModelView], "/api/models", query)) is not None:
            yield from (model for model in page.items if can_generate(model.latest.facts))
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    def check(self) -> None:
        """Raises unless the registry answers (readiness)."""
        self._ask(Page[ModelView], "/api/models", {"limit": "1"})

    def close(self) -> None:
        self._client.close()

    def _ask(self, answer: type[Answer], path: str, query: dict[str, str]) -> Answer | None:
        try:
            response = self._client.get(path, params=query)
            if response.status_code == HTTPStatus.NOT_FOUND:
                return None
            if response.is_success:
                return answer.model_validate_json(response.content)
        except (httpx.TransportError, ValidationError) as error:
            raise Unavailable("The registry does not answer as it should.", hint="Try again in a moment.") from error
        raise Unavailable(f"The registry answered {response.status_code}.", hint="Try again in a moment.")


def can_generate(facts: ModelFacts) -> bool:
    """Whether it is a language model, or an adapter of one."""
    return facts.kind == "causal_lm" or any(name.endswith(_GENERATING) for name in facts.architectures)


def _absent(model_id: str) -> NotFound:
    return NotFound(f"There is no model {model_id!r} to talk to.", hint="GET /v1/models lists those there are.")
