"""The dataset service as its own process, over a real Postgres and a real S3 server."""

from __future__ import annotations

import hashlib
import json
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import httpx
import psutil
import pytest

from kargah.clients import datasets
from kargah.clients.client import Client
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service
from kargah.testing.waiting import wait_until
from worker.imports.chatterbot import read_corpus
from worker.imports.rows import write_rows

QA = "".join(json.dumps({"question": f"سوال {n}", "answer": f"جواب {n}"}, ensure_ascii=False) + "\n" for n in range(50))


@pytest.fixture(scope="module")
def running(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[DatasetService]:
    with dataset_service(postgres, object_store_server, {"KARGAH_MAX_UPLOAD_BYTES": str(150 << 20)}) as service:
        yield service


@pytest.fixture
def service(running: DatasetService) -> Iterator[DatasetService]:
    """The one service; whatever a test did, deleting its datasets must leave the store empty."""
    yield running
    for name in running.names():
        running.client.delete(f"/api/datasets/{name}")
    assert running.stored() == []


def test_upload_and_look_at_it(service: DatasetService) -> None:
    answer = service.put("اول".encode().hex(), QA)
    assert answer.status_code == 201
    name = answer.json()["dataset"]
    version = answer.json()
    assert (version["version"], version["format"], version["stats"]["rows"]) == (1, "question_answer", 50)
    assert version["sha256"] == version["sourceSha256"] == hashlib.sha256(QA.encode()).hexdigest()
    assert version["stats"]["fieldStats"]["question"] == {
        "count": 50, "empty": 0, "minLength": 6, "meanLength": 6.8, "maxLength": 7,
    }  # fmt: skip
    assert service.client.get(f"/api/datasets/{name}").json()["latest"] == version
    assert service.client.get(f"/api/datasets/{name}/statistics").json() == version["stats"]
    preview = service.client.get(f"/api/datasets/{name}/preview").json()
    assert preview["rows"] == [json.loads(line) for line in QA.splitlines()[:10]]
    location = service.client.get(f"/api/datasets/{name}/location").json()
    assert service.store.get(location["key"]) == QA.encode()
    assert (location["bucket"], location["sizeBytes"]) == (service.store.bucket, len(QA.encode()))
    assert not [key for key in service.stored() if key.startswith("staging/")]


def test_same_rows_are_the_same_version_and_others_a_new_one(service: DatasetService) -> None:
    first = service.put("d", QA)
    again = service.put("d", QA.replace("\n", "\r\n"))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    known = {"if-none-match": service.client.get("/api/datasets/d/location").headers["etag"]}
    assert service.client.get("/api/datasets/d/location", headers=known).status_code == 304
    changed = service.put("d", QA + '{"question":"q","answer":"a"}\n')
    assert (changed.status_code, changed.json()["version"]) == (201, 2)
    assert service.client.get("/api/datasets/d/location", headers=known).json()["version"]["version"] == 2
    assert service.client.get("/api/datasets/d/location?version=1", headers=known).status_code == 304
    assert service.client.get("/api/datasets/d").json()["latest"]["version"] == 2
    assert service.client.get("/api/datasets/d?version=1").json()["latest"] == first.json()
    versions = service.client.get("/api/datasets/d/versions?limit=1").json()
    assert [version["version"] for version in versions["items"]] == [2]
    following = service.client.get("/api/datasets/d/versions", params={"cursor": versions["nextCursor"]}).json()
    assert [version["version"] for version in following["items"]] == [1]
    assert following["nextCursor"] is None


def test_form_upload_with_a_mapping(service: DatasetService) -> None:
    table = "سوال,جواب,گروه\n=1+1,دو,الف\n+98,تلفن,ب\n"
    form = {"name": "team/faq", "format": "question_answer", "map": "question:سوال,answer:جواب"}
    answer = service.client.post("/api/datasets", data=form, files={"file": ("../../etc/پرسش.csv", table.encode())})
    assert answer.status_code == 201
    assert answer.json()["sourceFilename"] == "پرسش.csv"
    assert answer.headers["location"] == "/api/datasets/team/faq"
    rows = service.client.get("/api/datasets/team/faq/preview").json()["rows"]
    assert rows[0] == {"question": "=1+1", "answer": "دو", "گروه": "الف"}


def test_labels_and_warnings(service: DatasetService) -> None:
    rows = [{"text": "كتاب خوب", "label": 1}, {"text": "بد", "label": 0}, {"text": "بد", "label": 0}]
    version = service.put("l", json.dumps(rows), "rows.json").json()
    assert version["stats"]["labels"] == {"0": 2, "1": 1}
    found = {warning["code"]: warning for warning in version["warnings"]}
    assert found["duplicate_rows"]["byteOffset"] == json.dumps(rows).rindex('{"text"')
    assert (found["arabic_kaf"]["line"], found["arabic_kaf"]["field"]) == (1, "text")


GOOD = b'{"question":"q","answer":"a"}\n'
MASKED = b'{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","weight":0}]}\n'
BAD_FILES = {
    "broken line": (GOOD + b"{oops\n", 422, "syntax", 2, len(GOOD) + 1),
    "wrong field": (GOOD + b'{"question":"q"}\n', 422, "missing", 2, len(GOOD)),
    "nan": (GOOD + b'{"question":NaN,"answer":"a"}\n', 422, "not_finite", 2, len(GOOD)),
    "duplicate key": (GOOD + b'{"question":"q","question":"q","answer":"a"}', 422, "duplicate_key", 2, len(GOOD)),
    "deep": (GOOD + b'{"a":' + b"[" * 100_000 + b"\n", 422, "too_deep", 2, len(GOOD)),
    "null character": (GOOD + b'{"question":"\\u0000","answer":"a"}', 422, "null_character", 2, len(GOOD)),
    "surrogate": (GOOD + b'{"question":"\\ud800","answer":"a"}', 422, "lone_surrogate", 2, len(GOOD)),
    "not utf-8": (GOOD + b'{"question":"\xff"}', 422, "encoding", 2, len(GOOD) + 13),
    "long line": (GOOD + b'{"question":"' + b"x" * (9 << 20) + b'"}', 422, "row_too_long", 2, len(GOOD)),
    "empty": (b"", 422, "empty", 1, 0),
    "only a byte-order mark": (b"\xef\xbb\xbf\n", 422, "empty", 1, 0),
    "one row": (GOOD, 422, "too_few_rows", None, None),
    "masked": (MASKED * 3, 422, "all_masked", None, None),
    "no format": (b'{"a":1}\n{"a":2}\n', 422, "unknown_format", None, None),
}


def test_bad_files_are_told_exactly_and_leave_nothing(service: DatasetService) -> None:
    for name, (data, status, code, line, offset) in BAD_FILES.items():
        answer = service.put("bad", data)
        assert answer.status_code == status, name
        assert answer.headers["content-type"] == "application/problem+json"
        error = answer.json()["errors"][0]
        assert (error["code"], error.get("line"), error.get("byteOffset")) == (code, line, offset), name
    assert service.put("bad", b"PK\x03\x04" + b"0" * 100).status_code == 415
    assert service.stored() == []
    assert service.names() == []


def test_twenty_problems_are_listed_and_all_are_counted(service: DatasetService) -> None:
    problem = service.put("bad", GOOD + b'{"question":"","answer":""}\n' * 1000).json()
    assert len(problem["errors"]) == 20
    assert problem["detail"].startswith("2,000 problems in 1,001 rows; the first at line 2: `question` is empty")
    assert problem["errors"][19] == {
        "field": "answer", "message": "`answer` is empty", "code": "empty",
        "line": 11, "byteOffset": len(GOOD) + 9 * 28,
    }  # fmt: skip


def test_bad_requests(service: DatasetService) -> None:
    for name in ("preview", "a/preview", "a..b", "-x", "x" * 200):
        assert service.put(name, QA).status_code == 422, name
    assert service.put("d", QA, format="questionanswer").json()["errors"][0]["field"] == "format"
    assert service.put("d", QA, map="nothing:x").json()["errors"][0]["field"] == "map"
    assert service.put("d", QA, strange="1").json()["errors"][0]["field"] == "strange"
    assert service.client.post("/api/datasets", data={"name": "d"}).status_code == 415
    assert service.client.post("/api/datasets", files={"file": ("x", QA)}).json()["errors"][0]["field"] == "name"
    for path in ("d", "d/preview", "d/statistics", "d/location", "d/versions"):
        assert service.client.get(f"/api/datasets/{path}").status_code == 404
    assert service.client.delete("/api/datasets/d").status_code == 404
    assert service.client.get("/api/datasets?cursor=zzz").status_code == 422
    assert service.client.get("/api/datasets/d/preview?limit=101").status_code == 422
    assert service.stored() == []


def test_upload_that_breaks_off_leaves_nothing(service: DatasetService) -> None:
    def halves() -> Iterator[bytes]:
        yield QA.encode()
        raise RuntimeError("the client dies")

    with pytest.raises(RuntimeError, match="the client dies"):
        service.put("d", halves())
    assert "400" in _answer_to_half_a_body(service, {"content-length": "5000"}, QA.encode())
    assert "400" in _answer_to_half_a_body(service, {"transfer-encoding": "chunked"}, b"%x\r\n%b" % (5000, QA.encode()))
    assert service.put("d", b"x" * (1 << 20), filename="x.bin").status_code == 422
    wait_until(lambda: service.stored() == [], timeout=10)
    assert service.names() == []


def _answer_to_half_a_body(service: DatasetService, headers: dict[str, str], body: bytes) -> str:
    """The status line that comes when the client stops sending in the middle."""
    host, port = str(service.client.base_url.host), service.client.base_url.port
    lines = [f"{name}: {value}" for name, value in {"host": f"{host}:{port}", **headers}.items()]
    head = "\r\n".join(["PUT /api/datasets/d/content HTTP/1.1", *lines, "", ""]).encode()
    with socket.create_connection((host, port), timeout=10) as connection:
        connection.sendall(head + body)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile().readline()


def test_more_large_files_at_once_than_can_be_taken_come_again(
    service: DatasetService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = str(service.client.base_url.host), service.client.base_url.port
    head = b"PUT /api/datasets/d/content HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2000000\r\n\r\n"
    path = tmp_path / "d.jsonl"
    path.write_text(QA + json.dumps({"question": "س", "answer": "b" * (1 << 20)}), encoding="utf-8")
    with ExitStack() as stack:

        def refused() -> httpx.Response | None:
            stack.enter_context(socket.create_connection(address, timeout=10)).sendall(head)
            answer = service.put("d", path.read_bytes())
            return answer if answer.status_code == 503 else None

        answer = wait_until(refused, timeout=30)
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("busy", "5")
        assert service.put("d", QA.encode()).status_code == 201, "small files take no turn"
        monkeypatch.setattr(datasets, "time", SimpleNamespace(sleep=lambda _seconds: stack.close()))
        with Client(str(service.client.base_url)) as client:
            assert client.datasets.upload(path, name="d").stats.rows == 51
    wait_until(lambda: not any(key.startswith("staging/") for key in service.stored()), timeout=20)


def test_over_the_limit_is_refused_while_it_comes(service: DatasetService) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 2 << 30:
            sent += 1 << 20
            yield b"x" * (1 << 20)

    try:
        status = service.put("d", endless()).status_code
    except httpx.TransportError:
        status = 413
    assert status == 413
    assert sent < 400 << 20
    wait_until(lambda: service.stored() == [], timeout=10)


def test_list_pages_and_searches(service: DatasetService) -> None:
    for number in range(5):
        assert service.put(f"set_{number}", QA).status_code == 201
    page = service.client.get("/api/datasets?limit=2").json()
    assert ([item["name"] for item in page["items"]], page["total"]) == (["set_4", "set_3"], 5)
    page = service.client.get("/api/datasets", params={"limit": 3, "cursor": page["nextCursor"]}).json()
    assert ([item["name"] for item in page["items"]], page["nextCursor"]) == (["set_2", "set_1", "set_0"], None)
    found = service.client.get("/api/datasets?search=SET_3").json()
    assert ([item["name"] for item in found["items"]], found["total"]) == (["set_3"], 1)
    assert service.client.get("/api/datasets?search=t%25_").json()["items"] == []


def test_delete_keeps_what_others_need(service: DatasetService) -> None:
    crlf = QA.replace("\n", "\r\n")
    service.put("a", QA)
    service.put("b", crlf)
    assert len([key for key in service.stored() if key.startswith("datasets/")]) == 2
    assert service.client.delete("/api/datasets/b").status_code == 204
    assert service.stored() == [f"datasets/{hashlib.sha256(QA.encode()).hexdigest()}"]
    assert len(service.client.get("/api/datasets/a/preview").json()["rows"]) == 10
    assert service.client.delete("/api/datasets/a").status_code == 204
    assert service.stored() == []
    assert service.put("a", QA).json()["version"] == 1


@pytest.mark.campaign
def test_uploads_and_deletions_at_once_never_lose_rows(service: DatasetService) -> None:
    failures: list[str] = []

    def churn(name: str) -> None:
        with httpx.Client(base_url=service.client.base_url, timeout=60, trust_env=False) as client:
            for _ in range(8):
                put = client.put(f"/api/datasets/{name}/content", content=QA.encode())
                rows = client.get(f"/api/datasets/{name}/preview")
                if (put.status_code, rows.status_code) != (201, 200):
                    failures.append(f"{put.status_code} {put.text} {rows.status_code} {rows.text}")
                client.delete(f"/api/datasets/{name}")

    threads = [threading.Thread(target=churn, args=(f"n{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert service.stored() == []


@pytest.mark.campaign
def test_restart_and_kill_lose_nothing(service: DatasetService) -> None:
    version = service.put("kept", QA).json()
    service.stop()
    service.start()
    assert service.client.get("/api/datasets/kept").json()["latest"] == version
    service.stop(signal.SIGKILL)
    service.start()
    assert len(service.client.get("/api/datasets/kept/preview?offset=45").json()["rows"]) == 5
    assert service.client.get("/api/datasets/kept/preview?offset=50").json()["rows"] == []


def test_chatterbot_corpus_goes_in(service: DatasetService, tmp_path: Path) -> None:
    count = write_rows(tmp_path / "chatterbot.jsonl", read_corpus())
    assert count > 2000
    version = service.put("chatterbot", (tmp_path / "chatterbot.jsonl").read_bytes()).json()
    assert (version["stats"]["rows"], version["format"]) == (count, "question_answer")


@pytest.mark.campaign
def test_hundred_megabytes_in_bounded_memory(service: DatasetService) -> None:
    text = "متن پارسی " * 250
    line = json.dumps({"question": text, "answer": text}, ensure_ascii=False)
    size = len(line.encode())
    count = (100 << 20) // size + 1
    worker = psutil.Process(service.process.pid)
    before, peak = worker.memory_info().rss, 0

    def chunks() -> Iterator[bytes]:
        nonlocal peak
        for start in range(0, count, 200):
            rows = (f'{{"question":"{number} {line[14:]}\n' for number in range(start, min(start + 200, count)))
            peak = max(peak, worker.memory_info().rss)
            yield "".join(rows).encode()

    watched = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not watched.wait(0.05):
            peak = max(peak, worker.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    answer = service.put("large", chunks())
    watched.set()
    watcher.join()
    assert answer.status_code == 201
    assert answer.json()["stats"]["rows"] == count
    assert answer.json()["stats"]["sizeBytes"] > 100 << 20
    assert peak - before < 120 << 20
    preview = service.client.get(f"/api/datasets/large/preview?offset={count - 3}").json()
    assert [row["question"].split()[0] for row in preview["rows"]] == [str(count - n) for n in (3, 2, 1)]
