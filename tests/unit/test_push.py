"""Answers without end: nothing is lost or doubled on the way to a client, however slowly it reads, or it is left."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from kargah.testing.waiting import wait_until
from kargah.web.outlet import Outlet, Piece
from kargah.web.push import Pusher

Started = Callable[..., Pusher]


@pytest.fixture
def started() -> Iterator[Started]:
    pushers: list[Pusher] = []

    def start(**options: float) -> Pusher:
        pushers.append(Pusher(**options))
        pushers[-1].start()
        return pushers[-1]

    yield start
    for pusher in pushers:
        pusher.stop()


def _client(pusher: Pusher, outlet: Outlet, *, chunked: bool = False) -> socket.socket:
    here, there = socket.socketpair()
    here.settimeout(10)
    pusher.adopt(outlet, there, chunked=chunked)
    return here


def _all_of(client: socket.socket) -> bytes:
    with client:
        return b"".join(iter(lambda: client.recv(65536), b""))


def test_everything_arrives_once_and_in_order_before_and_after_the_client_is_there(started: Started) -> None:
    outlet = Outlet()
    outlet.send(Piece(b"one "))
    client = _client(started(), outlet)
    outlet.send(Piece(b"two "))
    outlet.send(Piece(b"three"))
    outlet.end()
    outlet.send(Piece(b"too late"))
    assert _all_of(client) == b"one two three"
    assert outlet.closed


def test_chunks_are_framed_also_those_of_before(started: Started) -> None:
    outlet = Outlet()
    outlet.send(Piece(b"before"))
    client = _client(started(), outlet, chunked=True)
    outlet.send(Piece(b"x" * 17))
    outlet.end()
    assert _all_of(client) == b"6\r\nbefore\r\n11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"


def test_what_was_over_before_the_client_came_ends_as_it_should(started: Started) -> None:
    outlet = Outlet()
    outlet.send(Piece(b"all"))
    outlet.end()
    assert not outlet.closed
    assert _all_of(_client(started(), outlet, chunked=True)) == b"3\r\nall\r\n0\r\n\r\n"


def test_a_slow_client_gets_all_and_tells_when_it_has_room(started: Started) -> None:
    asked: list[bool] = []
    pusher, number = started(), 0
    outlet = Outlet(on_room=lambda: asked.append(True))
    client = _client(pusher, outlet)
    while outlet.has_room:
        outlet.send(Piece(b"%8d" % number * 1024))
        number += 1
    assert outlet.waiting and not asked, "sending does not wait for the client"
    first = b""
    while len(first) < number * 8192:
        first += client.recv(65536)
    wait_until(lambda: asked == [True])
    outlet.end()
    assert first + _all_of(client) == b"".join(b"%8d" % each * 1024 for each in range(number))


def test_a_client_that_will_say_no_more_gets_a_proper_end(started: Started) -> None:
    left: list[bool] = []
    outlet = Outlet(on_close=lambda: left.append(True))
    client = _client(started(), outlet, chunked=True)
    outlet.send(Piece(b"x" * 17))
    client.shutdown(socket.SHUT_WR)
    assert _all_of(client) == b"11\r\n" + b"x" * 17 + b"\r\n0\r\n\r\n"
    wait_until(lambda: left == [True])


def test_a_client_that_will_say_no_more_gets_first_what_there_is(started: Started) -> None:
    outlet = Outlet()
    client = _client(started(), outlet, chunked=True)
    while outlet.has_room:
        outlet.send(Piece(b"x" * 65536))
    client.shutdown(socket.SHUT_WR)
    wait_until(lambda: outlet.ending)
    assert _all_of(client).endswith(b"x\r\n0\r\n\r\n")


def test_a_client_that_leaves_is_noticed_without_a_word(started: Started) -> None:
    left: list[bool] = []
    outlet = Outlet(on_close=lambda: left.append(True))
    client = _client(started(), outlet)
    client.send(b"what it says is dropped")
    outlet.send(Piece(b"hello"))
    assert client.recv(5, socket.MSG_WAITALL) == b"hello"
    client.close()
    wait_until(lambda: outlet.closed)
    outlet.close()
    assert left == [True]


def test_a_client_that_takes_nothing_is_left(started: Started) -> None:
    outlet = Outlet()
    client = _client(started(stalled_seconds=0.1), outlet)
    for _ in range(100):
        outlet.send(Piece(b"x" * 65536))
    wait_until(lambda: outlet.closed)
    client.close()


def test_stopping_ends_every_stream(started: Started) -> None:
    pusher, outlets = started(), [Outlet(), Outlet()]
    clients = [_client(pusher, outlet, chunked=True) for outlet in outlets]
    outlets[0].send(Piece(b"last"))
    pusher.stop()
    assert [_all_of(client) for client in clients] == [b"4\r\nlast\r\n0\r\n\r\n", b"0\r\n\r\n"]
    assert all(outlet.closed for outlet in outlets)


def test_who_comes_while_the_others_end_or_later_is_ended_as_they_are(started: Started) -> None:
    pusher, stalled = started(), Outlet()
    with _client(pusher, stalled, chunked=True):
        while stalled.has_room:
            stalled.send(Piece(b"x" * 65536))
        stopping = threading.Thread(target=pusher.stop)
        stopping.start()
        wait_until(lambda: stalled._ending)
        assert _all_of(_client(pusher, Outlet(), chunked=True)) == b"0\r\n\r\n"
        stopping.join(10)
    assert stalled.closed
    late = Outlet()
    assert _all_of(_client(pusher, late, chunked=True)) == b"0\r\n\r\n"
    assert late.closed


def test_a_client_that_left_before_the_headers_keeps_no_place(started: Started) -> None:
    pusher, outlets = started(), [Outlet(), Outlet()]
    answers = [pusher.response(outlet, {}, "text/plain", b"first") for outlet in outlets]
    client = _client(pusher, outlets[1])
    for answer in answers:
        answer.close()
    assert [outlet.closed for outlet in outlets] == [True, False]
    outlets[1].end()
    assert _all_of(client) == b""
