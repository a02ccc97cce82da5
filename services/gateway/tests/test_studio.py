"""The Studio's files, and the plain page where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gateway.studio import add_studio


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>Studio</title>")
    (folder / "assets" / "index-1a2b.js").write_text("1")
    (tmp_path / "secret.txt").write_text("secret")
    return folder


def _client(folder: Path) -> FlaskClient:
    app = Flask("gateway", static_folder=None)
    add_studio(app, folder)
    return app.test_client()


def test_every_address_below_is_the_page(built: Path) -> None:
    client = _client(built)
    assert client.get("/").headers["location"] == "/studio/"
    for place in ("", "jobs", "jobs/job_1", "datasets/a/b"):
        answer = client.get(f"/studio/{place}", buffered=True)
        assert answer.status_code == 200 and b"Studio" in answer.data, place
        assert answer.headers["cache-control"] == "no-cache"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self';" in policy and "connect-src 'self'" in policy


def test_files_with_a_hash_in_their_name_are_kept(built: Path) -> None:
    client = _client(built)
    answer = client.get("/studio/assets/index-1a2b.js", buffered=True)
    assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
    assert answer.content_type.startswith("text/javascript")
    assert client.get("/studio/assets/gone.js").status_code == 404


def test_a_page_by_the_way_of_the_files_is_a_page(built: Path) -> None:
    client = _client(built)
    for place in ("assets/../index.html", "assets/%2e%2e/index.html", "assets/../jobs", "assets/x/../../index.html"):
        answer = client.get(f"/studio/{place}", buffered=True)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache"), place
    assert "immutable" in client.get("/studio/assets/./index-1a2b.js", buffered=True).headers["cache-control"]


def test_nothing_beside_the_folder_is_given(built: Path) -> None:
    client = _client(built)
    for place in ("../secret.txt", "%2e%2e/secret.txt", "assets/../../secret.txt", "assets/%2e%2e/%2e%2e/secret.txt"):
        assert b"secret" not in client.get(f"/studio/{place}", buffered=True).data, place


def test_without_files_there_is_a_plain_page(tmp_path: Path) -> None:
    client = _client(tmp_path)
    answer = client.get("/")
    assert answer.status_code == 200 and 'dir="rtl"' in answer.text and "/openapi.json" in answer.text
    assert answer.text.count("<code>make up</code>") == 2, "both languages say what builds the Studio"
    assert client.get("/studio/").status_code == 404
