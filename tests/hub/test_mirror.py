"""A registry that mirrors another one, both as processes; the stock clients know the mirror alone."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import httpx
import psycopg
import pytest

from kargah import Client
from kargah.adapters.minio_store import MinioStore
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.process import ManagedProcess
from kargah.testing.fixtures import store_in
from kargah.testing.waiting import wait_until
from tests.hub.client import CallFailed, StockClients
from tests.hub.conftest import Hub, new_database, start_process
from tests.hub.relay import Relay, relaying

MODEL, ROWS = "far/tiny", "far/rows"
TOKEN = "hf_of_the_upstream_alone"
LINES = [{"question": f"پرسش {number}", "answer": number} for number in range(20)]
LARGE = hashlib.shake_256(b"mirror").digest(18 << 20)
SHA256 = hashlib.sha256(LARGE).hexdigest()
HELD = "large.dat"


@dataclass
class Pair:
    """The upstream behind a relay, and the mirror's settings."""

    hub: Hub
    relay: Relay
    folder: Path
    upstream: ManagedProcess
    settings: dict[str, str]
    mirror: str
    store: MinioStore

    def start_upstream(self) -> None:
        """As it was, after a kill."""
        settings = self.hub.settings | {"KARGAH_HUB_REDIRECT": "0"}
        self.upstream = start_process("registry", self.relay.target, settings, self.folder)

    def another(self) -> tuple[str, ManagedProcess]:
        """Another process of the mirror."""
        url = f"http://127.0.0.1:{free_port()}"
        return url, start_process("registry", url, self.settings, self.folder)

    def sql(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.settings["KARGAH_DATABASE_URL"]) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def pair(
    hub: Hub,
    postgres: EmbeddedPostgres,
    migrated_database: str,
    object_store_server: EmbeddedObjectStore,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("mirror")
    hub.kargah.models.install_folder(hub.tiny, MODEL)
    _push(hub.registry, ROWS, {"train.jsonl": "".join(json.dumps(row) + "\n" for row in LINES).encode()})
    store = store_in(object_store_server, f"mirror-{secrets.token_hex(4)}")
    with relaying(Relay(f"http://127.0.0.1:{free_port()}")) as relay:
        settings = hub.settings | {
            "KARGAH_DATABASE_URL": new_database(postgres, migrated_database)["registry"],
            "KARGAH_S3_BUCKET": store.bucket,
            "KARGAH_UPSTREAM_URL": f"{relay.url}/hub",
            "KARGAH_UPSTREAM_TOKEN": TOKEN,
            "KARGAH_MIRROR": "1",
            "KARGAH_MIRROR_FRESH_SECONDS": "0",
        }
        upstream = start_process("registry", relay.target, hub.settings | {"KARGAH_HUB_REDIRECT": "0"}, folder)
        mirror = f"http://127.0.0.1:{free_port()}"
        found = Pair(hub, relay, folder, upstream, settings, mirror, store)
        try:
            with start_process("registry", mirror, settings, folder):
                yield found
        finally:
            found.upstream.kill()


@pytest.fixture(scope="module")
def far(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockClients]:
    """Clients of the mirror."""
    clients = StockClients(f"{pair.mirror}/hub", tmp_path_factory.mktemp("far"), xet=True)
    yield clients
    clients.close()


def test_stock_clients_read_through_it_and_go_on_without_the_upstream(
    pair: Pair, far: StockClients, tmp_path: Path
) -> None:
    expected = {path.name: path.read_bytes().decode("latin-1") for path in pair.hub.tiny.iterdir()}
    known = httpx.get(f"{pair.hub.registry}/hub/api/models/{MODEL}?blobs=1").json()
    assert far("snapshot", repo_id=MODEL) == expected
    assert far("generate", repo_id=MODEL) == far("generate", repo_id=str(pair.hub.tiny))
    assert far("load", repo_id=ROWS) == LINES
    assert sorted(set(pair.relay.files())) == pair.relay.files() == sorted([*expected, "train.jsonl"])
    assert far("refs", repo_id=MODEL)["tags"]["v1"] == known["sha"]

    pair.upstream.kill()
    seen = httpx.get(f"{pair.mirror}/hub/api/models/{MODEL}?blobs=1").json()
    assert {**seen, "mirroredFrom": None, "createdAt": None} == {**known, "createdAt": None}
    assert seen["mirroredFrom"] == f"{pair.relay.url}/hub"
    fresh = {"cache_dir": str(tmp_path / "fresh")}
    assert far("snapshot", repo_id=MODEL, **fresh) == expected
    assert (
        far("download", repo_id=MODEL, filename="config.json", cache_dir=str(tmp_path / "one"))
        == expected["config.json"]
    )
    assert far("load", repo_id=ROWS, **fresh) == LINES
    assert not far("exists", repo_id=MODEL, filename="absent.json")
    with pytest.raises(CallFailed, match="does not answer"):
        far("info", repo_id="far/never-seen")
    with pytest.raises(CallFailed, match="read-only here"):
        far("upload", repo_id=MODEL, path="notes.txt", content="x")
    pair.start_upstream()
    assert {one.authorization for one in pair.relay.asked} == {f"Bearer {TOKEN}"}
    assert TOKEN not in (pair.folder / "registry.log").read_text()


def test_a_commit_of_the_upstream_is_seen(pair: Pair, far: StockClients) -> None:
    before = far("info", repo_id=ROWS, repo_type="dataset")["sha"]
    _push(pair.hub.registry, ROWS, {"more.txt": b"more"})
    # For some seconds after the upstream did not answer it is not asked, as something is kept.
    wait_until(lambda: far("info", repo_id=ROWS, repo_type="dataset")["sha"] != before, timeout=30, every=0.2)
    after = far("info", repo_id=ROWS, repo_type="dataset")
    assert set(after["siblings"]) == {"train.jsonl", "more.txt"}
    assert far("info", repo_id=ROWS, repo_type="dataset", revision=before)["sha"] == before
    asked = len(pair.relay.files())
    assert far("download", repo_id=ROWS, repo_type="dataset", filename="more.txt") == "more"
    assert len(pair.relay.files()) == asked + 1


@pytest.mark.campaign
def test_a_killed_mirror_and_a_killed_upstream_cost_what_was_under_way(pair: Pair) -> None:
    _push(pair.hub.registry, "far/large", {HELD: LARGE})
    address = f"/hub/datasets/far/large/resolve/main/{HELD}"
    pair.relay.hold_after[HELD] = 17 << 20
    url, doomed = pair.another()
    first = threading.Thread(target=_read, args=(url + address, 10))
    first.start()
    try:
        assert pair.relay.held.wait(60)
        wait_until(lambda: pair.sql("SELECT 1 FROM fetch_parts"), timeout=30)
        doomed.kill()
        ((kept,),) = pair.sql("SELECT sum(size_bytes) FROM fetch_parts")
        pair.sql("UPDATE fetches SET lease_until = now()")  # or else it would run out by itself, in ten seconds
        pair.upstream.kill()
        pair.relay.go_on.set()
        pair.start_upstream()
        clients: list[str] = []
        readers = [threading.Thread(target=lambda: clients.append(_read(pair.mirror + address, 60))) for _ in range(8)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join(90)
    finally:
        doomed.kill()
        first.join(30)
    assert clients == [SHA256] * 8 and not first.is_alive()
    ranges = [one.range for one in pair.relay.asked if one.file == HELD]
    assert ranges == [None, f"bytes={kept}-"], "eight readers, and what was kept was not fetched again"
    wait_until(lambda: f"blobs/{SHA256}" in [found.key for found in pair.store.list("blobs/")], timeout=30)


def test_damage_at_the_upstream_stays_there(pair: Pair) -> None:
    data = b"\x00" * 5000
    damaged = hashlib.sha256(data).hexdigest()
    _push(pair.hub.registry, "far/damaged", {"data.dat": data})
    pair.hub.store.put(f"blobs/{damaged}", b"\x01" * len(data))
    address = f"{pair.mirror}/hub/datasets/far/damaged/resolve/main/data.dat"
    answer = httpx.get(address, timeout=30)
    assert answer.status_code == 502 and "other bytes" in answer.headers["x-error-message"]
    assert not [found for found in pair.store.list("blobs/") if damaged in found.key]
    pair.hub.store.put(f"blobs/{damaged}", data)
    pair.sql("UPDATE fetches SET refused_until = NULL")  # or else it would be asked for again in a minute
    assert httpx.get(address, timeout=30, follow_redirects=True).content == data


def test_a_redirect_to_another_server_is_followed_without_the_token(pair: Pair) -> None:
    _push(pair.hub.registry, "far/elsewhere", {"data.dat": b"\x00elsewhere"})
    with relaying(Relay(pair.relay.target)) as other:
        pair.relay.elsewhere = other.url
        answer = httpx.get(f"{pair.mirror}/hub/datasets/far/elsewhere/resolve/main/data.dat", timeout=30)
        pair.relay.elsewhere = ""
    assert answer.content == b"\x00elsewhere"
    assert [(one.file, one.authorization) for one in other.asked] == [("data.dat", None)]


def test_a_repository_of_its_own_wins(pair: Pair, far: StockClients) -> None:
    assert far("info", repo_id=MODEL)["sha"]
    with Client(pair.mirror) as client:
        client.hub.drop_mirror("models", MODEL)
        client.models.install_folder(pair.hub.tiny, MODEL)
    asked = len(pair.relay.asked)
    assert far("commits", repo_id=MODEL) == ["Version 1", "initial commit"]
    assert len(pair.relay.asked) == asked


def _push(url: str, name: str, files: dict[str, bytes]) -> None:
    """Commit files to a dataset of the upstream, made if need be."""
    owner, _, last = name.partition("/")
    base = f"{url}/hub/api"
    httpx.post(f"{base}/repos/create", json={"name": last, "organization": owner, "type": "dataset"}, timeout=30)
    lines = []
    for path, data in files.items():
        oid = hashlib.sha256(data).hexdigest()
        if b"\0" in data:
            httpx.put(f"{url}/api/blobs/{oid}", content=data, timeout=60).raise_for_status()
            lines.append({"key": "lfsFile", "value": {"path": path, "oid": oid, "size": len(data)}})
        else:
            lines.append({"key": "file", "value": {"path": path, "content": base64.b64encode(data).decode()}})
    body = "".join(json.dumps(line) + "\n" for line in lines)
    httpx.post(f"{base}/datasets/{name}/commit/main", content=body, timeout=60).raise_for_status()


def _read(url: str, seconds: float) -> str:
    """The sha256 of a file, as a client gets it that goes on by ranges when a connection breaks."""
    data = bytearray()
    done = False

    def attempt() -> bool:
        nonlocal done
        headers = {"range": f"bytes={len(data)}-"} if data else {}
        try:
            with httpx.stream("GET", url, headers=headers, timeout=30, follow_redirects=True) as answer:
                if answer.is_success:
                    for chunk in answer.iter_bytes():
                        data.extend(chunk)
                    done = True
        except httpx.HTTPError:
            return False
        return done

    try:
        wait_until(attempt, timeout=seconds, every=0.2)
    except AssertionError:
        return "never came"
    return hashlib.sha256(data).hexdigest()
