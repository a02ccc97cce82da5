"""Hundreds of hostile uploads to a real service: no failure of its own, nothing kept, and the place is named."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest

from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.testing.dataset_service import DatasetService, dataset_service
from kargah.testing.waiting import wait_until
from tests.hostile.case import Hostile
from tests.hostile.corpus import corpus
from tests.hostile.tricks import requests

# Of the file as a whole, or of its container: they have no line.
_WHOLE = {
    "too_few_rows",
    "all_masked",
    "unknown_format",
    "too_many_fields",
    "gzip",
    "zstd",
    "unknown_field",
    "unknown_fix",
}
_LOOK_EVERY = 16  # looking into the store takes longer than many an upload
_LIMITS = {"KARGAH_MAX_UPLOAD_BYTES": str(32 << 20), "KARGAH_MAX_UNPACKED_BYTES": str(32 << 20)}


@pytest.fixture(scope="module")
def service(postgres: EmbeddedPostgres, object_store_server: EmbeddedObjectStore) -> Iterator[DatasetService]:
    with dataset_service(postgres, object_store_server, _LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def database(service: DatasetService) -> Iterator[psycopg.Connection]:
    url = service.environment["KARGAH_DATABASE_URL"].replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def recorded(database: psycopg.Connection) -> list[str]:
    """What is in the database."""
    rows = database.execute("SELECT name FROM datasets UNION ALL SELECT id FROM dataset_versions").fetchall()
    return [str(row[0]) for row in rows]


def test_no_hostile_file_breaks_the_service_or_leaves_anything(
    service: DatasetService, database: psycopg.Connection
) -> None:
    names: list[str] = []
    wrong: list[str] = []
    for case in corpus():
        names.append(case.name)
        if found := complaint(service, database, case):
            wrong.append(f"{case.name}: {found}")
        if len(names) % _LOOK_EVERY == 0 and (left := service.stored()):
            wrong.append(f"{left} was left by one of {names[-_LOOK_EVERY:]}")
    assert wrong == [] and service.stored() == []
    assert len(names) == len(set(names)) and len(names) + len(list(requests())) >= 400


def complaint(service: DatasetService, database: psycopg.Connection, case: Hostile) -> str:
    """What went wrong with that file; empty when it went as it should."""
    path = f"/api/datasets/{quote(case.dataset, safe='')}/content"
    params = {"filename": case.filename, **case.query}
    answer = service.client.put(path, params=params, content=case.data)
    if answer.status_code < 400:
        return _accepted(service, answer, case)
    if answer.status_code >= 500 or case.outcome == "accepted":
        return f"{answer.status_code} {answer.text[:300]}"
    left = recorded(database)
    return _unclear(answer) or (f"left {left}" if left else "")


def _accepted(service: DatasetService, answer: httpx.Response, case: Hostile) -> str:
    version = answer.json()
    rows = service.client.get(f"/api/datasets/{case.dataset}/preview").status_code
    service.client.delete(f"/api/datasets/{case.dataset}")
    if case.outcome == "refused":
        return f"was accepted as {version['format']}"
    safe = version["sourceFilename"].isprintable() and not set(version["sourceFilename"]) & set("/\\")
    return "" if safe and rows == 200 else f"kept as {version['sourceFilename']!r}, its rows answer {rows}"


def _unclear(answer: httpx.Response) -> str:
    """What is missing of a refusal: kind, detail, and, where a file's content is refused, the place."""
    if answer.headers["content-type"] != "application/problem+json" or not answer.json()["detail"]:
        return f"no problem document: {answer.text[:200]}"
    if answer.status_code != 422:
        return ""
    for error in answer.json()["errors"] or [{}]:
        of_request = error.get("field") in ("name", "format", "map", "filename", "version", "strange", "path")
        placed = error.get("line") is not None and error.get("byteOffset") is not None
        if not (error.get("field") and error.get("message") and (of_request or error["code"] in _WHOLE or placed)):
            return f"no place: {answer.text[:300]}"
    return ""


def test_requests_that_break_the_protocol_leave_nothing(service: DatasetService, database: psycopg.Connection) -> None:
    for what, request in requests():
        status = _status(service.url, request)
        # A transfer coding that nobody knows is answered with 501, as RFC 9112 (6.1) has it.
        assert status is None or 400 <= status < 500 or (status, what) == (501, "an unknown coding"), what
    wait_until(lambda: recorded(database) + service.stored() == [], timeout=20)
    assert service.put("good", b'{"text":"a"}\n{"text":"b"}\n').status_code == 201


def _status(url: str, request: bytes) -> int | None:
    """The status that the raw bytes are answered with; None when the connection is just closed."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            line = connection.makefile("rb").readline()
        except ConnectionError:
            return None
    return int(line.split()[1]) if line else None
