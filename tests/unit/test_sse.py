"""Event streams on the wire: framing, keep-alive, and an end when the service stops."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kargah.contracts.jobs import Progress
from kargah.domain.errors import BadRequest
from kargah.web.shutdown import stopping
from kargah.web.sse import ServerEvent, Source, frame, last_event_id, sse_response


@pytest.fixture(autouse=True)
def running() -> Iterator[None]:
    stopping.clear()
    yield
    stopping.clear()


def _source(*events: ServerEvent | None, closed: Callable[[], None] = lambda: None) -> Source:
    def generate() -> Generator[ServerEvent | None, None, None]:
        try:
            yield from events
        finally:
            closed()

    return generate()


def test_frames_carry_id_event_and_one_line_of_json() -> None:
    assert frame(ServerEvent("status", {"a": "x\ny"}, 7)) == b'event: status\nid: 7\ndata: {"a":"x\\ny"}\n\n'
    assert b'"etaSeconds":null' in frame(ServerEvent("progress", Progress()))


@given(st.text(max_size=100))
def test_text_never_breaks_the_framing(text: str) -> None:
    if any("\ud800" <= character <= "\udfff" for character in text):
        return
    lines = frame(ServerEvent("log", text)).decode().removesuffix("\n\n").split("\n")
    assert lines[0] == "event: log"
    assert all(line.startswith("data: ") for line in lines[1:])


@pytest.mark.parametrize(("event", "identity"), [("a\nb", 1), ("", 1), ("ok", "1\ndata: x")])
def test_injections_are_refused(event: str, identity: int | str) -> None:
    with pytest.raises(ValueError, match="not an event"):
        frame(ServerEvent(event, "x", identity))


def test_a_stream_starts_at_once_and_ends_with_its_source() -> None:
    ended: list[bool] = []
    response = sse_response(
        _source(ServerEvent("a", "1"), None, ServerEvent("b", "2"), closed=lambda: ended.append(True))
    )
    frames = list(response.response)
    assert frames == [b"retry: 1000\n\n", b"event: a\ndata: 1\n\n", b"event: b\ndata: 2\n\n"]
    assert response.content_type == "text/event-stream"
    assert ended == [True]


def test_silence_is_filled_with_comments() -> None:
    response = sse_response(_source(None, None, None), keep_alive_seconds=0)
    assert list(response.response)[1:] == [b": keep-alive\n\n"] * 3


def test_leaving_closes_the_source() -> None:
    ended: list[bool] = []
    response = sse_response(_source(*[ServerEvent("a", "1")] * 5, closed=lambda: ended.append(True)))
    frames = iter(response.response)
    next(frames)
    next(frames)
    response.close()
    frames.close()  # type: ignore[attr-defined]  # the iterator is a generator
    assert ended == [True]


def test_stopping_ends_the_stream() -> None:
    ended: list[bool] = []

    def endless() -> Generator[ServerEvent | None, None, None]:
        try:
            while True:
                yield None
        finally:
            ended.append(True)

    frames = iter(sse_response(endless(), keep_alive_seconds=0).response)
    assert next(frames) == b"retry: 1000\n\n"
    next(frames)
    stopping.set()
    assert list(frames) == []
    assert ended == [True]


@pytest.mark.parametrize(
    ("header", "query", "expected"), [(None, None, 0), ("7", None, 7), (None, "8", 8), ("7", "8", 7)]
)
def test_where_to_go_on(header: str | None, query: str | None, expected: int) -> None:
    assert last_event_id(header, query) == expected


@pytest.mark.parametrize("header", ["-1", "1.5", "x", "٧", "9" * 19, "1 2"])
def test_an_odd_event_id_is_refused(header: str) -> None:
    with pytest.raises(BadRequest):
        last_event_id(header)
