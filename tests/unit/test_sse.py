"""Event streams on the wire: their framing, and where a client goes on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kargah.contracts.jobs import Progress
from kargah.domain.errors import BadRequest
from kargah.web.sse import ServerEvent, frame, last_event_id


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


@pytest.mark.parametrize(
    ("header", "query", "expected"), [(None, None, 0), ("7", None, 7), (None, "8", 8), ("7", "8", 7)]
)
def test_where_to_go_on(header: str | None, query: str | None, expected: int) -> None:
    assert last_event_id(header, query) == expected


@pytest.mark.parametrize("header", ["-1", "1.5", "x", "٧", "9" * 19, "1 2"])
def test_an_odd_event_id_is_refused(header: str) -> None:
    with pytest.raises(BadRequest):
        last_event_id(header)
