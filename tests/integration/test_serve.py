"""The web glue under the real server: uploads, refusals in mid-body, and a graceful end."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from kargah.contracts.problem import Problem
from kargah.embedded.ports import free_port
from kargah.embedded.process import Command, ManagedProcess
from kargah.testing.echo_service import UPLOAD_BYTES
from kargah.testing.waiting import port_is_open, wait_until

GRACE = 4


class Server:
    """The echo service as its own process."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {"KARGAH_PORT": str(self.port), "KARGAH_LOG_FORMAT": "json", "KARGAH_GRACEFUL_SECONDS": str(GRACE)}
        settings |= more
        # What gunicorn would obey if it were asked: neither may change how many processes there are.
        stray = {"WEB_CONCURRENCY": "3", "GUNICORN_CMD_ARGS": "--workers 3"}
        self.log = folder / "echo.log"
        arguments = [sys.executable, "-m", "kargah.testing.echo_service"]
        environment = {**os.environ, **settings, **stray}
        self.process = ManagedProcess(Command("echo", arguments, self.log, folder, env=environment))
        self.process.wait_ready(lambda: port_is_open(self.port), 30)

    def raw(self, data: bytes, *, half_close: bool = False) -> bytes:
        """Send `data` as it is; everything that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            while chunk := connection.recv(65536):
                answer += chunk
            return answer

    def trickle(self, data: bytes) -> bytes:
        """Send `data`, then some letters a second, until the server answers or closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(data)
            ended = threading.Event()
            sender = threading.Thread(target=_drip, args=(connection, ended))
            sender.start()
            try:
                answer = b""
                with contextlib.suppress(ConnectionResetError):
                    while chunk := connection.recv(65536):
                        answer += chunk
                return answer
            finally:
                ended.set()
                sender.join(timeout=20)


def _drip(connection: socket.socket, ended: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while not ended.wait(0.05):
            connection.sendall(b"x")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    found = Server(tmp_path_factory.mktemp("echo"))
    yield found
    found.process.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path)
    yield found
    found.process.kill()


def _answer(raw: bytes) -> tuple[int, Any]:
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_one_process_with_its_hook_run(server: Server) -> None:
    assert wait_until(lambda: httpx.post(f"{server.url}/slow", json={}).json()["hooked"])
    assert len(psutil.Process(server.process.pid).children()) == 0


def test_files_arrive_whole_by_form_and_by_body(server: Server) -> None:
    data = hashlib.shake_128(b"file").digest(20 << 20)
    digest = hashlib.sha256(data).hexdigest()
    form = httpx.post(f"{server.url}/form", data={"name": "a"}, files={"file": ("x.bin", data)}).json()
    assert (form["size"], form["sha256"], form["name"]) == (len(data), digest, "a")
    for content in (data, (data[start : start + 99_991] for start in range(0, len(data), 99_991))):
        assert httpx.put(f"{server.url}/raw", content=content).json()["sha256"] == digest


def test_refusals_in_mid_body_leave_the_client_working(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        for size in (100, 40 << 10, 3 << 20, 20 << 20) * 3:
            content = b"[" * size
            refused = client.post("/slow", content=content, headers={"content-type": "application/json"})
            assert refused.status_code == (413 if size > 1 << 20 else 400)
            assert client.post("/slow", content=content, headers={"content-type": "text/plain"}).status_code in (
                413,
                415,
            )
            assert client.post("/nowhere", content=content).status_code == 404
            assert client.post("/slow", json={}).status_code == 200


def test_small_refusals_keep_the_connection(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        assert client.post("/slow", json={"odd": 1}).headers["connection"] == "keep-alive"
        assert client.post("/slow", content=b" " * (3 << 20)).headers["connection"] == "close"


@pytest.mark.parametrize("path", ["/slow", "/raw"])
def test_a_huge_declared_length_is_refused_before_it_is_sent(server: Server, path: str) -> None:
    method = "PUT" if path == "/raw" else "POST"
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {1 << 50}\r\nConnection: close\r\n\r\n"
    started = time.monotonic()
    status, problem = _answer(server.raw(head.encode()))
    assert (status, problem["code"]) == (413, "too_large")
    assert time.monotonic() - started < 15


def test_an_endless_body_is_cut_off(server: Server) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 50 * UPLOAD_BYTES:
            sent += 1 << 20
            yield b"x" * (1 << 20)

    # The server may close while the client still writes.
    with httpx.Client(timeout=30) as client, contextlib.suppress(httpx.TransportError):
        assert client.put(f"{server.url}/raw", content=endless()).status_code == 413
    assert sent < 50 * UPLOAD_BYTES
    assert httpx.get(f"{server.url}/healthz").status_code == 200


@pytest.mark.parametrize("framing", ["Content-Length: 100", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize(
    ("method", "path", "kind"), [("PUT", "/raw", "text/csv"), ("POST", "/slow", "application/json")]
)
def test_a_truncated_body_is_a_bad_request(server: Server, framing: str, method: str, path: str, kind: str) -> None:
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{framing}\r\n\r\n"
    body = b"64\r\n{}" if "chunked" in framing else b"{}"
    status, problem = _answer(server.raw(head.encode() + body, half_close=True))
    assert (status, problem["code"]) == (400, "bad_request")


@pytest.mark.campaign
def test_who_trickles_is_not_waited_for(tmp_path: Path) -> None:
    slow = Server(tmp_path, KARGAH_SLOW_SECONDS="2")
    try:
        head = b"PUT /raw HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n"
        status, problem = _answer(slow.trickle(head + b"\r\n"))
        assert (status, problem["code"]) == (408, "too_slow")
        assert slow.trickle(head) == b""
        assert httpx.put(f"{slow.url}/raw", content=b"x" * 100_000).json()["size"] == 100_000
    finally:
        slow.process.stop()


def test_what_never_reaches_the_app_is_answered_with_a_problem_too(server: Server) -> None:
    assert httpx.get(f"{server.url}/nowhere?{'x' * 8000}").status_code == 404
    address = httpx.get(f"{server.url}/nowhere?{'x' * 9000}")
    headers = httpx.get(f"{server.url}/nowhere", headers={f"x-{number}": "y" for number in range(200)})
    for answer, status in ((address, 414), (headers, 431)):
        problem = Problem.model_validate_json(answer.content)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (answer.status_code, problem.status, bool(problem.detail)) == (status, status, True)
    status, body = _answer(server.raw(b"POST /slow HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: brotli\r\n\r\n{}"))
    assert (status, body["code"]) == (501, "not_implemented")


def test_a_foreign_host_is_refused(server: Server) -> None:
    request = b"GET /healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert _answer(server.raw(request))[0] == 403


def test_an_event_stream_flows_and_stays_alive(server: Server) -> None:
    with httpx.stream("GET", f"{server.url}/events", timeout=10) as response:
        assert response.headers["connection"] == "close", "what follows is not gunicorn's to end"
        lines = response.iter_lines()
        seen = [next(lines) for _ in range(8)]
    assert "event: hello" in seen
    assert ": keep-alive" in seen


def test_sigterm_finishes_requests_and_ends_streams(own_server: Server) -> None:
    answers: list[int] = []
    started = threading.Event()

    def slow() -> None:
        answers.append(httpx.post(f"{own_server.url}/slow", json={"seconds": 2}, timeout=20).status_code)

    def stream() -> None:
        with httpx.stream("GET", f"{own_server.url}/events", timeout=20) as response:
            for line in response.iter_lines():
                if line == "event: hello":
                    started.set()
        answers.append(response.status_code)

    threads = [threading.Thread(target=slow), threading.Thread(target=stream)]
    for thread in threads:
        thread.start()
    assert started.wait(10)
    wait_until(lambda: "slow answer begun" in own_server.log.read_text())
    begun = time.monotonic()
    psutil.Process(own_server.process.pid).terminate()
    for thread in threads:
        thread.join()
    wait_until(lambda: not own_server.process.alive())
    assert answers.count(200) == 2
    assert time.monotonic() - begun < GRACE + 3


@pytest.mark.campaign
def test_a_request_that_hangs_does_not_outlive_the_grace(own_server: Server) -> None:
    def hang() -> None:
        with contextlib.suppress(httpx.TransportError):
            httpx.post(f"{own_server.url}/slow", json={"seconds": 60}, timeout=30)

    thread = threading.Thread(target=hang)
    thread.start()
    wait_until(lambda: "slow answer begun" in own_server.log.read_text())
    begun = time.monotonic()
    psutil.Process(own_server.process.pid).terminate()
    wait_until(lambda: not own_server.process.alive())
    assert GRACE - 1 < time.monotonic() - begun < GRACE + 6
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_the_log_is_json_and_holds_the_requests(server: Server) -> None:
    httpx.post(f"{server.url}/slow", json={}, headers={"x-request-id": "find-me"})

    def found() -> dict[str, Any] | None:
        records = [json.loads(line) for line in server.log.read_text().splitlines()]
        return next((record for record in records if record.get("request_id") == "find-me" and "path" in record), None)

    record = wait_until(found)
    assert (record["service"], record["path"], record["status"]) == ("echo", "/slow", 200)
