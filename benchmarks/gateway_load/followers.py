"""Clients that follow a job by SSE: how late an event reaches the last of them, and what they cost in memory."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import psutil
import psycopg

from benchmarks.gateway_load.together import quantile_ms
from benchmarks.report import Row
from kargah.db.engine import libpq_url
from kargah.jobstore import attempt_repository
from kargah.jobstore.values import Batch, EventEntry
from kargah.testing.distributed import Distributed
from kargah.testing.jobs import JobBench

FOLLOWERS = 200
_EVENTS = 40
_PAUSE = 0.25
_MARK = b'"mark":'


def rows(stack: Distributed, bench: JobBench) -> list[Row]:
    """All of them on one job, which is the hardest case: each event goes to everyone at once."""
    gateway = psutil.Process(stack.group.pid("gateway"))
    claim = bench.running(lease_seconds=600)
    before = gateway.memory_full_info().pss
    with _followers(stack, claim.job_id) as crowd:
        _until_all_follow(crowd, bench, claim.job_id, claim.generation)
        grown = gateway.memory_full_info().pss - before
        cpu = gateway.cpu_times()
        sent = _send(bench, claim.job_id, claim.generation, 1, _EVENTS, _PAUSE)
        crowd.wait_for(_EVENTS)
        used = sum(gateway.cpu_times()[:2]) - sum(cpu[:2])
    late = [at - sent[mark] for mark, arrivals in crowd.arrivals.items() if mark for at in arrivals]
    bare = _bare_notify(stack)
    note = f"{FOLLOWERS} clients, {_EVENTS} events; CPU {used / (_EVENTS * FOLLOWERS) * 1e6:.0f} us an event and client"
    peer = "NOTIFY to one LISTEN"
    return [
        _row("event to a client, median", peer, quantile_ms(late, 0.5), quantile_ms(bare, 0.5), note),
        _row("event to a client, p99", peer, quantile_ms(late, 0.99), quantile_ms(bare, 0.99), ""),
        Row(
            "gateway", f"memory with {FOLLOWERS} clients", "MB", (before + grown) / 1e6, "without", before / 1e6,
            before / (before + grown), None, "",
        ),
    ]  # fmt: skip


def _row(what: str, peer: str, ours: float, theirs: float, note: str) -> Row:
    return Row("gateway", what, "ms", ours, peer, theirs, theirs / ours, None, note)


@dataclass
class _Crowd:
    """When each client read each mark, by one thread for all."""

    sockets: list[socket.socket]
    arrivals: dict[int, list[float]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def read(self) -> None:
        chosen = selectors.DefaultSelector()
        for each in self.sockets:
            chosen.register(each, selectors.EVENT_READ, bytearray())
        while not self.over.is_set():
            for key, _ in chosen.select(0.2):
                self._take(key.fileobj, key.data, time.perf_counter())  # type: ignore[arg-type]

    def _take(self, each: socket.socket, kept: bytearray, at: float) -> None:
        kept += each.recv(65536)
        while (place := kept.find(_MARK)) >= 0 and (end := kept.find(b"}", place)) >= 0:
            self.arrivals.setdefault(int(kept[place + len(_MARK) : end]), []).append(at)
            del kept[:end]

    def wait_for(self, mark: int, seconds: float = 60.0) -> None:
        """Until everybody has read `mark`."""
        deadline = time.monotonic() + seconds
        while len(self.arrivals.get(mark, ())) < len(self.sockets):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.arrivals.get(mark, ()))} of {len(self.sockets)} had event {mark}")
            time.sleep(0.02)


@contextmanager
def _followers(stack: Distributed, job_id: str) -> Iterator[_Crowd]:
    with ExitStack() as closing:
        crowd = _Crowd([closing.enter_context(_follow(stack, job_id)) for _ in range(FOLLOWERS)])
        thread = threading.Thread(target=crowd.read, daemon=True)
        thread.start()
        try:
            yield crowd
        finally:
            crowd.over.set()
            thread.join(5)


def _follow(stack: Distributed, job_id: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", stack.ports.gateway), timeout=30)
    asked = f"GET /api/train/jobs/{job_id}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
    connection.sendall(asked.encode())
    return connection


def _until_all_follow(crowd: _Crowd, bench: JobBench, job_id: str, generation: int) -> None:
    _send(bench, job_id, generation, 0, 0, 0.0)
    crowd.wait_for(0)


def _send(bench: JobBench, job_id: str, generation: int, first: int, last: int, pause: float) -> dict[int, float]:
    """When each mark was committed."""
    sent = {}
    for mark in range(first, last + 1):
        bench.do(attempt_repository.record, job_id, generation, Batch(events=[EventEntry("sample", {"mark": mark})]))
        sent[mark] = time.perf_counter()
        time.sleep(pause)
    return sent


def _bare_notify(stack: Distributed) -> list[float]:
    url = libpq_url(stack.dsn_of("gateway"))
    late: list[float] = []
    with psycopg.connect(url, autocommit=True) as hears, psycopg.connect(url, autocommit=True) as says:
        hears.execute("LISTEN bench_bare")
        for _ in range(_EVENTS):
            says.execute("NOTIFY bench_bare")
            began = time.perf_counter()
            next(hears.notifies(timeout=5, stop_after=1))
            late.append(time.perf_counter() - began)
    return late
