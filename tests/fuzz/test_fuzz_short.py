"""Short fuzz runs: no failure of the services, and every answer is one that their documents, or clients, know.

What makes the requests is imported by the tests themselves: every process of a run collects this file, one runs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres

if TYPE_CHECKING:
    from tests.fuzz.campaign import Report, Target

_FEWEST = 60
_SECONDS = 5
# Of each operation: few, so that all of them get some.
_EXAMPLES = 3


@pytest.fixture(scope="module")
def services(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[Mapping[str, Target]]:
    from tests.fuzz.targets import targets

    with targets(postgres, object_store_server) as running:
        yield {target.name: target for target in running}


@pytest.mark.parametrize("name", ["datasets", "registry", "gateway", "inference"])
def test_answers_are_as_documented(services: Mapping[str, Target], name: str) -> None:
    from tests.fuzz.campaign import Span, fuzz

    _check(fuzz([services[name]], Span(_SECONDS, _FEWEST), first_seed=1, examples=_EXAMPLES))


def test_the_hub_answers_whatever_comes(services: Mapping[str, Target]) -> None:
    from tests.fuzz.campaign import Span
    from tests.fuzz.hub_campaign import fuzz_hub
    from tests.fuzz.targets import FUZZER

    _check(fuzz_hub(services["registry"].url, Span(_SECONDS, _FEWEST), first_seed=1, auth=FUZZER))


def _check(report: Report) -> None:
    assert report.failures == {}
    assert sum(report.sent.values()) >= _FEWEST
    assert any(status < 300 for status in report.statuses())
