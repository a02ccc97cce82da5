"""Which models there are, asked of the registry."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx

from kargah.clients.peer import Peer
from kargah.contracts.base import Page
from kargah.contracts.models import ModelFacts, ModelLocation, ModelView
from kargah.domain.errors import NotFound
from kargah.domain.names import is_name, split_version

_PAGE = 200
_GENERATING = ("ForCausalLM", "LMHeadModel")


class Catalogue:
    """Every call raises Unavailable when the registry does not answer as it should."""

    def __init__(self, registry_url: str, auth: httpx.Auth | None = None) -> None:
        self._registry = Peer("registry", registry_url, auth)

    def locate(self, model_id: str) -> ModelLocation:
        """Where the version is that `name` (the latest), `name@2` or `name@production` means, if it can be talked to.
        Raises NotFound."""
        location = self._location(model_id)
        if location is None or not can_generate(location.version.facts):
            raise NotFound(f"There is no model {model_id!r} to talk to.", hint="GET /v1/models lists those there are.")
        return location

    def locate_any(self, model_id: str) -> ModelLocation:
        """As `locate`, for a model of any kind. Raises NotFound."""
        location = self._location(model_id)
        if location is None:
            raise NotFound(f"There is no model {model_id!r}.", hint="See what is installed: kargah model list.")
        return location

    def models(self) -> Iterator[ModelView]:
        """All that can be talked to, newest first."""
        query: dict[str, str] = {"limit": str(_PAGE)}
        while (page := self._registry.ask(Page[ModelView], "/api/models", query)) is not None:
            yield from (model for model in page.items if can_generate(model.latest.facts))
            if page.next_cursor is None:
                return
            query["cursor"] = page.next_cursor

    def check(self) -> None:
        """Raises unless the registry answers (readiness)."""
        self._registry.ask(Page[ModelView], "/api/models", {"limit": "1"})

    def close(self) -> None:
        self._registry.close()

    def _location(self, model_id: str) -> ModelLocation | None:
        name, version = split_version(model_id)
        if not is_name(name):
            return None
        query = {"version": version} if version else {}
        return self._registry.ask(ModelLocation, f"/api/models/{quote(name)}/location", query)


def can_generate(facts: ModelFacts) -> bool:
    """Whether it is a language model, or an adapter of one."""
    return facts.kind == "causal_lm" or any(name.endswith(_GENERATING) for name in facts.architectures)
