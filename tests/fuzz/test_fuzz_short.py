"""A short fuzz run: no failure of the services, and every answer is one that their documents describe."""

from __future__ import annotations

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from tests.fuzz.campaign import fuzz
from tests.fuzz.targets import targets

_SECONDS = 15


def test_answers_are_as_documented(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> None:
    with targets(postgres, object_store_server) as services:
        report = fuzz(services, _SECONDS, first_seed=1)
    assert report.failures == {}
    assert sum(report.sent.values()) > 50
    assert any(status < 300 for status in report.statuses)
