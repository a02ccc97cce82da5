"""What a name stands for is asked each time; what a version is, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from flask import Flask, Response, jsonify, request

from gateway.locations import Locations, Service
from kargah.contracts.base import Wire
from kargah.domain.errors import Unavailable
from kargah.domain.scope import project_scope
from kargah.testing.serving import served


class _Location(Wire):
    version_id: str


@dataclass
class _Service:
    """Whose name stands for `version`; None: for nothing."""

    version: str | None = "first"
    statuses: list[int] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("service")

        @app.get("/location")
        def location() -> Response:
            answer = self._answer(request.headers.get("if-none-match"))
            self.statuses.append(answer.status_code)
            return answer

        return app

    def _answer(self, known: str | None) -> Response:
        if self.version is None:
            return Response(status=404)
        if self.version == "broken":
            return Response(status=500)
        tag = f'W/"{self.version}"'
        answer = Response(status=304) if known == tag else jsonify(versionId=self.version)
        answer.headers["etag"] = tag
        return answer


@pytest.fixture
def service() -> _Service:
    return _Service()


@pytest.fixture
def locations(service: _Service) -> Iterator[Locations[_Location]]:
    with served(service.app()) as url, httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
        yield Locations(Service(client, "service"), _Location)


def test_a_name_that_moves_is_seen_at_once(service: _Service, locations: Locations[_Location]) -> None:
    def ask() -> str | None:
        found = locations.ask("/location", None)
        return None if found is None else found.version_id

    assert [ask(), ask()] == ["first", "first"]
    service.version = "second"
    assert [ask(), ask()] == ["second", "second"]
    service.version = None
    assert ask() is None
    service.version = "first"
    assert ask() == "first"
    assert service.statuses == [200, 304, 200, 304, 404, 200]
    service.version = "broken"
    with pytest.raises(Unavailable, match="500"):
        ask()


def test_projects_do_not_share_what_is_known(service: _Service, locations: Locations[_Location]) -> None:
    for project in ("one", "other"):
        with project_scope(project):
            locations.ask("/location", None)
    locations.ask("/location", 3)
    assert service.statuses == [200, 200, 200]
