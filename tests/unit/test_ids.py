"""Ids reach other threads and other services."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import httpx
import pytest
import structlog

from kargah.telemetry.ids import bound, in_this_context, origin, pass_on, request_id


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    """What a request in this thread may have left behind is none of ours."""
    structlog.contextvars.clear_contextvars()
    yield
    structlog.contextvars.clear_contextvars()


def test_another_thread_goes_on_with_the_ids() -> None:
    seen: list[str | None] = []
    with bound(request_id="req_1", job_id=None):
        run = in_this_context(lambda: seen.append(request_id()))
    threads = [threading.Thread(target=run), threading.Thread(target=lambda: seen.append(request_id()))]
    for thread in threads:
        thread.start()
        thread.join(10)
    assert seen == ["req_1", None]


def test_a_call_tells_the_id_unless_it_has_one() -> None:
    own = httpx.Request("GET", "http://peer/", headers={"x-request-id": "own"})
    fresh, alone = httpx.Request("GET", "http://peer/"), httpx.Request("GET", "http://peer/")
    pass_on(alone)
    with bound(request_id="req_1"):
        pass_on(own)
        pass_on(fresh)
        assert origin() == {"request_id": "req_1"}
    assert origin() == {}
    assert [each.headers.get("x-request-id") for each in (own, fresh, alone)] == ["own", "req_1", None]
