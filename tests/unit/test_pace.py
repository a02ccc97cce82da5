"""Who sends too little is not waited for; who is slow for other reasons is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from kargah.web import pace
from kargah.web.pace import LEAST, PacedReader, SenderTooSlow, is_too_slow
from kargah.web.unread import closing_after_refusals

WINDOW = 10.0


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def reader(ends: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch) -> PacedReader:
    """Each of its waits takes three seconds."""
    clock = iter(range(0, 1_000, 3))
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    return PacedReader(ends[0], WINDOW)


def send(theirs: socket.socket, reader: PacedReader, size: int) -> int:
    theirs.sendall(b"x" * size)
    return len(reader.chunk(1 << 20))


def test_enough_in_each_window_is_enough(ends: tuple[socket.socket, socket.socket], reader: PacedReader) -> None:
    enough = int(LEAST * WINDOW)
    for _ in range(3):
        assert [send(ends[1], reader, size) for size in (1, 1, 1, enough)] == [1, 1, 1, enough]
    assert ends[0].gettimeout() is None


def test_a_window_with_less_is_the_last(ends: tuple[socket.socket, socket.socket], reader: PacedReader) -> None:
    for _ in range(3):
        send(ends[1], reader, 5)
    with pytest.raises(SenderTooSlow):
        send(ends[1], reader, 5)
    reader.begin()
    assert send(ends[1], reader, 5) == 5


def test_silence_is_told_from_a_shorter_patience(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(SenderTooSlow) as caught:
        PacedReader(ends[0], 0.01).chunk()
    wrapped = RuntimeError("the stream broke")
    wrapped.__context__ = caught.value
    assert is_too_slow(wrapped)
    ends[0].settimeout(0.01)
    with pytest.raises(TimeoutError) as other:
        PacedReader(ends[0], WINDOW).chunk()
    assert not is_too_slow(other.value)


def test_a_pause_after_enough_only_ends_the_window(ends: tuple[socket.socket, socket.socket]) -> None:
    class Prompted(PacedReader):
        def begin(self) -> None:
            super().begin()
            ends[1].sendall(b"again")

    reader = Prompted(ends[0], 0.2)
    ends[1].sendall(b"x" * LEAST)
    assert len(reader.chunk(1 << 20)) == LEAST
    assert reader.chunk() == b"again", "the window ended while it waited, and the sender was not slow"
    with pytest.raises(SenderTooSlow):
        reader.chunk()


@pytest.mark.parametrize(("slow", "patience"), [(0.5, 60), (90, 90)])
def test_an_app_waits_in_silence_for_as_long_as_a_sender_may_be_slow(
    ends: tuple[socket.socket, socket.socket], slow: float, patience: float
) -> None:
    """A shorter patience would end a request as one that broke off."""
    app = closing_after_refusals(lambda environ, start: [], slow)
    assert list(app({"gunicorn.socket": ends[0]}, lambda *_: lambda _data: None)) == []
    assert ends[0].gettimeout() == patience
