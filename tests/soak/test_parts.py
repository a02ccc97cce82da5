"""The campaign's own parts: a plan that can be replayed, checks that see what is wrong, a proxy that fails as told."""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kargah.testing.serving import running
from tests.soak import checks
from tests.soak.evidence import JobEvidence, Point, Sighting
from tests.soak.injector import Done
from tests.soak.mutilate import Damage
from tests.soak.options import Options
from tests.soak.plan import counts, plan
from tests.soak.proxy import FaultProxy, ProxyThread
from tests.soak.recovery import recoveries, standstill
from tests.soak.reference import Reference

TRUTH = Reference({1: 0.5, 2: 0.4, 3: 0.3}, ("w",), 0.1)


def _job(*points: tuple[int, int, float], resumed: tuple[tuple[int, int, float], ...] = ()) -> JobEvidence:
    """`points` are (attempt, step, loss), a second apart; the last of each step is what is shown."""
    job = JobEvidence("job", "completed")
    job.points = [Point(step, attempt, value, float(at)) for at, (attempt, step, value) in enumerate(points)]
    job.losses = sorted({step: value for _, step, value in points}.items())
    job.resumed = list(resumed)
    return job


def _problems(job: JobEvidence) -> tuple[int, int, int]:
    found = checks.missing_steps(job, TRUTH), checks.doubled_steps(job, TRUTH), checks.different_losses(job, TRUTH)
    return len(found[0]), len(found[1]), len(found[2])


def test_a_plan_is_the_seeds_alone() -> None:
    assert plan(Options(seed=3)) == plan(Options(seed=3))
    assert plan(Options(seed=3)) != plan(Options(seed=4))


def test_a_plan_holds_what_was_ordered() -> None:
    options = Options()
    faults = plan(options)
    kinds = Counter(fault.kind for fault in faults)
    wanted = counts(options)
    assert kinds["kill trainer"] + kinds["kill agent"] == 500
    assert sum(fault.lane == "kills" and bool(fault.detail) for fault in faults) == wanted["mutilate checkpoint"] == 100
    assert all(kinds[kind] == wanted[kind] for kind in wanted if kind != "mutilate checkpoint")
    assert all(0 <= fault.at <= options.seconds for fault in faults)


def test_a_run_that_resumed_well_is_clean() -> None:
    job = _job((1, 1, 0.5), (1, 2, 0.4), (2, 2, 0.4), (2, 3, 0.3), resumed=((2, 1, 1.5),))
    assert _problems(job) == (0, 0, 0)
    assert checks.redone_steps(job) == 1


def test_a_step_left_out_after_a_resume_is_missing() -> None:
    assert _problems(_job((1, 1, 0.5), (2, 3, 0.3), resumed=((2, 1, 1.0),)))[0] == 2
    assert _problems(_job((1, 1, 0.5), (1, 2, 0.4)))[0] == 1


def test_a_step_done_again_on_top_of_itself_is_doubled() -> None:
    assert _problems(_job((1, 1, 0.5), (1, 2, 0.4), (2, 2, 0.4), (2, 3, 0.3), resumed=((2, 2, 1.5),)))[1] == 1
    assert _problems(_job((1, 1, 0.5), (1, 1, 0.6), (1, 2, 0.4), (1, 3, 0.3)))[1] == 1
    assert _problems(_job((1, 1, 0.5), (1, 2, 0.4), (1, 3, 0.3), (1, 4, 0.2)))[1] == 1


def test_a_batch_stored_twice_after_a_lost_commit_is_no_doubled_step() -> None:
    assert _problems(_job((1, 1, 0.5), (1, 2, 0.4), (1, 1, 0.5), (1, 2, 0.4), (1, 3, 0.3))) == (0, 0, 0)


def test_the_last_bit_of_a_loss_counts() -> None:
    assert _problems(_job((1, 1, 0.5), (1, 2, 0.4), (1, 3, 0.30000000000000004)))[2] == 2


@pytest.mark.parametrize(("hurt_at", "found"), [(1.0, 1), (2.5, 0)])
def test_only_damage_before_the_claim_makes_a_load_corrupt(hurt_at: float, found: int) -> None:
    job = JobEvidence("job", claimed={2: 2.0}, resumed=[(2, 8, 3.0)], checkpoints=[Sighting("c", 8, 1, True, 0.5)])
    assert len(checks.corrupt_loads(job, [(hurt_at, Damage("c", "job", 8, 1, "flip", "x"))])) == found


def test_a_damaged_checkpoint_that_was_dropped_was_not_loaded() -> None:
    sightings = [Sighting("c", 8, 1, True, 0.5), Sighting("d", 8, 2, True, 0.7), Sighting("d", 8, 2, False, 2.5)]
    job = JobEvidence("job", claimed={3: 2.0}, resumed=[(3, 8, 3.0)], checkpoints=sightings)
    assert checks.corrupt_loads(job, [(1.0, Damage("d", "job", 8, 2, "flip", "x"))]) == []


def test_overlapping_deaths_are_one_standstill() -> None:
    job = _job((1, 1, 0.5), (3, 2, 0.4))
    job.points[1] = Point(2, 3, 0.4, 10.0)
    done = [Done("kill trainer", 2.0, "a", "job", 1), Done("zombie", 6.0, "b", "job", 2)]
    assert standstill(done, {"job": job}) == 8.0
    assert [(one.seconds, one.undisturbed) for one in recoveries(done, {"job": job})] == [(8.0, False), (4.0, True)]


class _Hello(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """Before an HTTP server that says hello."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    with running(server):
        thread = ProxyThread()
        yield FaultProxy(thread, server.server_port)
        thread.close()


def _get(proxy: FaultProxy, timeout: float = 5.0) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=timeout)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_the_proxy_passes_and_answers_in_the_servers_place(proxy: FaultProxy) -> None:
    assert _get(proxy) == (200, b"hello")
    proxy.set_mode("503")
    status, body = _get(proxy)
    assert (status, b"ServiceUnavailable" in body) == (503, True)
    proxy.set_mode("pass")
    assert _get(proxy) == (200, b"hello")


@pytest.mark.parametrize("mode", ["reset", "refuse"])
def test_the_proxy_breaks_connections(proxy: FaultProxy, mode: str) -> None:
    proxy.set_mode(mode)
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        _get(proxy)


def test_what_was_held_back_comes_when_the_stall_ends(proxy: FaultProxy) -> None:
    proxy.set_mode("stall")
    with pytest.raises(TimeoutError):
        _get(proxy, timeout=0.3)
    later: list[tuple[int, bytes]] = []
    waiting = threading.Thread(target=lambda: later.append(_get(proxy)))
    waiting.start()
    waiting.join(0.2)
    assert later == []
    proxy.set_mode("pass")
    waiting.join(5)
    assert later == [(200, b"hello")]


def test_a_cut_counts_what_it_breaks(proxy: FaultProxy) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=5)
    connection.request("GET", "/")
    assert connection.getresponse().read() == b"hello"
    assert proxy.cut() == 1
    with pytest.raises((ConnectionError, http.client.RemoteDisconnected)):
        connection.request("GET", "/")
        connection.getresponse()
    connection.close()
