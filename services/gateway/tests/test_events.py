"""Server-Sent Events over HTTP: replay, live, and the end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from gateway.events import reader
from gateway.events.followers import Caller, Follower, Position
from kargah.clients.sse import ServerEvent, parse
from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore import control_repository
from kargah.jobstore.values import Batch, EventEntry, LogEntry, MetricValue
from kargah.testing.waiting import wait_until
from kargah.web.outlet import ROOM_BYTES

_STREAM = {"accept": "text/event-stream"}


@contextmanager
def _following(stack: Any, job_id: str, **headers: str) -> Iterator[Iterator[ServerEvent]]:
    with (
        httpx.Client(base_url=stack.url, timeout=10) as http,
        http.stream("GET", f"/api/train/jobs/{job_id}/events", headers={**_STREAM, **headers}) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        yield parse(response.iter_lines())


def _sample(number: int) -> Batch:
    return Batch(events=[EventEntry("sample", {"n": number})])


def test_a_stream_replays_follows_and_ends_with_the_job(stack: Any) -> None:
    claim = stack.bench.running()
    stack.bench.do(attempts.record, claim.job_id, 1, _sample(1))
    with _following(stack, claim.job_id) as events:
        replayed = [next(events) for _ in range(3)]
        assert [(event.id, event.event) for event in replayed] == [("1", "status"), ("2", "status"), ("3", "sample")]
        assert replayed[2].data == {"n": 1}
        batch = Batch(metrics=[MetricValue(1, "loss", 2.0)], logs=[LogEntry("info", "سلام")])
        stack.bench.do(attempts.record, claim.job_id, 1, batch)
        progress, line = next(events), next(events)
        assert progress.event == "progress" and progress.data["metrics"][0]["value"] == 2.0
        assert (line.event, line.id, line.data["message"]) == ("log", None, "سلام")
        stack.bench.do(control_repository.cancel, claim.job_id)
        assert [event.data["status"] for event in events] == ["cancelled"]


def test_a_broken_stream_goes_on_after_the_last_event_seen(stack: Any) -> None:
    claim = stack.bench.running()
    for number in range(1200):
        if number % 100 == 0:
            samples = [EventEntry("sample", {"n": n}) for n in range(number, number + 100)]
            stack.bench.do(attempts.record, claim.job_id, 1, Batch(events=samples))
    stack.bench.do(attempts.finish, claim.job_id, 1, {"model": "made"})
    with _following(stack, claim.job_id) as events:
        first = [event.id for event, _ in zip(events, range(700), strict=False)]
    with _following(stack, claim.job_id, **{"last-event-id": str(first[-1])}) as events:
        rest = [event.id for event in events]
    assert [int(str(number)) for number in first + rest] == list(range(1, 1204))


def test_who_comes_while_much_happens_gets_all_of_it_once(stack: Any) -> None:
    """Between what is stored and what is live nothing is lost and nothing comes twice, from wherever a client goes on:
    the writer does not wait for anybody."""
    claim, total, seen = stack.bench.running(), 150, dict[int, list[int]]()

    def follow(after: int) -> None:
        with _following(stack, claim.job_id, **{"last-event-id": str(after)}) as events:
            seen[after] = [int(str(event.id)) for event in events]

    threads = []
    for number in range(total):
        stack.bench.do(attempts.record, claim.job_id, 1, _sample(number))
        if number in (0, 50, 100):
            threads.append(threading.Thread(target=follow, args=(2 + number // 2,)))
            threads[-1].start()
    stack.bench.do(attempts.finish, claim.job_id, 1, {})
    for thread in threads:
        thread.join(30)
    assert seen == {after: list(range(after + 1, total + 4)) for after in (2, 27, 52)}


def test_a_client_that_reads_nothing_holds_up_nobody_and_loses_nothing(
    stack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for it is bounded: the rest stays in the database until it reads on."""
    monkeypatch.setattr(reader, "_AT_ONCE", 20)
    claim = stack.bench.running()
    large = [EventEntry("sample", {"text": "x" * 16_000}) for _ in range(50)]
    with _following(stack, claim.job_id) as slow, _following(stack, claim.job_id) as quick:
        for _ in range(10):
            stack.bench.do(attempts.record, claim.job_id, 1, Batch(events=large))
        stack.bench.do(attempts.finish, claim.job_id, 1, {})
        everything = [int(str(number)) for number in range(1, 504)]
        assert [int(str(event.id)) for event in quick] == everything
        most = ROOM_BYTES + 20 * 17_000  # what there is room for, and a page
        assert all(one.outlet._size < most for one in stack.gateway.hub.followers.all())
        assert [int(str(event.id)) for event in slow] == everything


def test_long_replays_leave_those_who_follow_live_their_turn(stack: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred clients are each elsewhere in a long history; the other job's next event waits for a few pages, not for
    a page of each."""
    old, live, hub = stack.bench.running(), stack.bench.running(), stack.gateway.hub
    monkeypatch.setattr(reader, "_REPLAY_SECONDS", 0.0)
    monkeypatch.setattr(hub.followers, "_capacity", 101)
    for first in range(0, 800, 400):
        samples = [EventEntry("sample", {"n": first + n}) for n in range(400)]
        stack.bench.do(attempts.record, old.job_id, 1, Batch(events=samples))
    late = hub.follow(live.job_id, Position(2, 0), Caller("late"))
    replays = [hub.follow(old.job_id, Position(at, 0), Caller("old")) for at in range(100)]
    followers = [one for one in hub.followers.all() if one.job_id == old.job_id]
    try:
        wait_until(lambda: _pages(followers) > 0)
        stack.bench.do(attempts.record, live.job_id, 1, _sample(1))
        before = _pages(followers)
        wait_until(lambda: late.waiting)
        assert _pages(followers) - before < 50
        wait_until(lambda: all(one.position.event == 802 for one in followers), timeout=60)
    finally:
        for outlet in (late, *replays):
            outlet.close()


def _pages(followers: list[Follower]) -> float:
    return sum(one.position.event - number for number, one in enumerate(followers)) / 200


def test_an_event_name_that_would_break_the_framing_is_made_harmless(stack: Any) -> None:
    claim = stack.bench.running()
    stack.bench.do(attempts.record, claim.job_id, 1, Batch(events=[EventEntry("a\nid: 9", {"text": "x\ny"})]))
    with _following(stack, claim.job_id, **{"last-event-id": "2"}) as events:
        event = next(events)
    assert (event.id, event.event, event.data) == ("3", "a_id__9", {"text": "x\ny"})


def test_a_notification_wakes_the_stream_at_once(stack: Any) -> None:
    """Two hundred events, each sent once the one before has arrived: with the two second poll alone, minutes."""
    claim = stack.bench.running()
    with _following(stack, claim.job_id, **{"last-event-id": "2"}) as events:
        for number in range(200):
            stack.bench.do(attempts.record, claim.job_id, 1, _sample(number))
            assert next(events).data == {"n": number}


def test_too_many_streams_are_refused_and_places_come_back(stack: Any) -> None:
    job_id = stack.bench.submit()
    with _following(stack, job_id) as one, _following(stack, job_id) as two, _following(stack, job_id) as three:
        for events in (one, two, three):
            next(events)
        refused = stack.http.get(f"/api/jobs/{job_id}/events", headers=_STREAM)
        assert refused.status_code == 503 and "two seconds" in refused.json()["hint"]
        assert stack.http.get(f"/api/jobs/{job_id}").status_code == 200
    stack.bench.do(control_repository.cancel, job_id)  # the write at which the server sees that they have left
    wait_until(lambda: stack.http.get(f"/api/jobs/{job_id}/events", headers=_STREAM).status_code == 200)


def test_json_pages_of_events(stack: Any) -> None:
    claim = stack.bench.running()
    path = f"/api/jobs/{claim.job_id}/events"
    accept = {"accept": "application/json"}
    first = stack.http.get(f"{path}?limit=1", headers=accept).json()
    assert [event["data"]["status"] for event in first["items"]] == ["pending"]
    second = stack.http.get(f"{path}?after={first['nextCursor']}", headers=accept).json()
    assert [event["number"] for event in second["items"]] == [2] and second["nextCursor"] is None


def test_bad_positions_are_refused(stack: Any) -> None:
    job_id = stack.bench.submit()
    assert stack.http.get(f"/api/jobs/{job_id}/events", headers={"last-event-id": "-1"}).status_code == 400
    assert stack.http.get(f"/api/jobs/{job_id}/events?after=x").status_code == 422
    assert stack.http.get("/api/jobs/job_x/events").status_code == 404


def test_many_followers_of_many_jobs_each_see_their_own(stack: Any) -> None:
    claims = [stack.bench.running() for _ in range(3)]
    seen: dict[str, list[int]] = {}

    def follow(job_id: str) -> Callable[[], None]:
        def run() -> None:
            with _following(stack, job_id, **{"last-event-id": "2"}) as events:
                seen[job_id] = [event.data.get("n") for event in events]

        return run

    threads = [threading.Thread(target=follow(claim.job_id)) for claim in claims]
    for thread in threads:
        thread.start()
    for number in range(20):
        for offset, claim in enumerate(claims):
            stack.bench.do(attempts.record, claim.job_id, 1, _sample(100 * offset + number))
    for claim in claims:
        stack.bench.do(attempts.finish, claim.job_id, 1, {})
    for thread in threads:
        thread.join(20)
    for offset, claim in enumerate(claims):
        assert seen[claim.job_id] == [*(100 * offset + number for number in range(20)), None]


def test_a_stream_may_begin_at_the_end(stack: Any) -> None:
    claim = stack.bench.running()
    stack.bench.do(attempts.record, claim.job_id, 1, Batch(events=[EventEntry("sample", {"n": n}) for n in range(5)]))
    path, accept = f"/api/jobs/{claim.job_id}/events", {"accept": "application/json"}
    newest = stack.http.get(f"{path}?last=2", headers=accept).json()["items"]
    assert [event["data"]["n"] for event in newest] == [3, 4]
    assert stack.http.get(f"{path}?last=0", headers=accept).json()["items"] == []
    seen = {**accept, "last-event-id": "1"}  # who has seen something goes on after it
    assert len(stack.http.get(f"{path}?last=0", headers=seen).json()["items"]) == 6
    with stack.http.stream("GET", f"{path}?last=0", headers=_STREAM) as response:
        stack.bench.do(control_repository.cancel, claim.job_id)
        assert [event.data["status"] for event in parse(response.iter_lines())] == ["cancelled"]


def test_pages_of_some_types(stack: Any) -> None:
    claim = stack.bench.running()
    stack.bench.do(attempts.record, claim.job_id, 1, _sample(1))
    path, accept = f"/api/jobs/{claim.job_id}/events", {"accept": "application/json"}
    assert [event["type"] for event in stack.http.get(f"{path}?type=sample,x", headers=accept).json()["items"]] == [
        "sample"
    ]
    assert {event["type"] for event in stack.http.get(f"{path}?type=status", headers=accept).json()["items"]} == {
        "status"
    }
