"""The mirror, beside an upstream that cuts, stalls, lies and refuses. Two registries are tested in tests/hub."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from kargah.adapters.minio_store import MinioStore
from kargah.cli.main import app
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.serving import served
from kargah.testing.waiting import wait_until
from registry.mirror import fetcher
from registry.testing.bench import RegistryBench, model_files, registry_bench
from worker.testing.hub_server import COMMIT, Hub, serving

PART = 1 << 20
LARGE = bytes(range(256)) * (5 * PART // 2 // 256)
FILES = {"config.json": b'{"model_type": "llama"}', "README.md": "# مدل".encode(), "model.safetensors": LARGE}
WEIGHTS = "/hub/org/model/resolve/main/model.safetensors"
CONFIG = "/hub/org/model/resolve/main/config.json"
INFO = "/hub/api/models/org/model"


@pytest.fixture(autouse=True)
def small_and_quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that take no time, and no patience with an upstream that is away."""
    monkeypatch.setattr(fetcher, "_PART_BYTES", PART)
    monkeypatch.setattr(fetcher, "_PAUSES", (0.05,))


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving(Hub(dict(FILES))) as served_hub:
        yield served_hub


@pytest.fixture
def registry(hub: Hub, database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[RegistryBench]:
    settings = {"upstream_url": hub.url, "mirror": True, "mirror_only": ["org/*"], "mirror_fresh_seconds": 0}
    with registry_bench(database_url_for("registry"), object_store, **settings) as bench:
        yield bench


def got(bench: RegistryBench, path: str = WEIGHTS, **headers: str) -> Any:
    """A file, from wherever the registry says that it is."""
    answer = bench.http.get(path, headers=headers)
    return httpx.get(answer.location, headers=headers) if answer.status_code == 302 else answer


def content(answer: Any) -> bytes:
    data: bytes = answer.content if isinstance(answer, httpx.Response) else answer.data
    return data


def whole(bench: RegistryBench) -> bool:
    """Whether the large file is a blob like any other; its last bytes are served a moment earlier."""
    return bench.http.head(WEIGHTS).status_code == 302


def forget_refusal(bench: RegistryBench) -> None:
    """As if the minute were over in which wrong bytes are not asked for again."""
    with bench.engine.begin() as connection:
        connection.execute(text("UPDATE fetches SET refused_until = NULL"))


def test_what_is_asked_for_is_kept_as_the_upstream_has_it(registry: RegistryBench, hub: Hub) -> None:
    info = registry.http.get(f"{INFO}/revision/main?blobs=true").json
    assert (info["sha"], info["mirroredFrom"], info["tags"]) == (COMMIT, hub.url, ["llama"])
    weights = next(one for one in info["siblings"] if one["rfilename"] == "model.safetensors")
    assert weights["lfs"]["sha256"] == hashlib.sha256(LARGE).hexdigest()
    head = registry.http.head(WEIGHTS)
    assert head.status_code == 200 and head.headers["content-length"] == head.headers["x-linked-size"]
    assert head.headers["x-repo-commit"] == COMMIT and hub.ranges == []
    for _ in range(2):
        for path in FILES:
            answer = got(registry, f"/hub/org/model/resolve/main/{path}")
            assert answer.status_code == 200 and content(answer) == FILES[path]
            assert registry.http.head(f"/hub/org/model/resolve/main/{path}").headers["etag"] == f'"{hub.etag(path)}"'
    assert sorted(hub.ranges) == [(path, 0) for path in sorted(FILES)], "each was fetched once"
    wait_until(lambda: whole(registry) and not list(registry.store.list("mirror/")))


def test_it_goes_on_without_the_upstream(registry: RegistryBench, hub: Hub) -> None:
    assert content(got(registry)) == LARGE and wait_until(lambda: whole(registry))
    hub.down = True
    assert content(got(registry)) == LARGE and registry.http.get(INFO).json["sha"] == COMMIT
    assert registry.http.get(f"{INFO}/tree/{COMMIT}").json[0]["path"] == "README.md"
    absent = registry.http.get("/hub/org/model/resolve/main/absent.json")
    assert absent.headers["x-error-code"] == "EntryNotFound" and absent.headers["x-repo-commit"] == COMMIT
    for path in (CONFIG, f"{INFO}/revision/v1", "/hub/api/models/org/other"):
        answer = registry.http.get(path)
        assert answer.status_code == 503 and answer.headers["x-error-message"], path
    assert registry.http.get("/hub/api/models/elsewhere/model").headers["x-error-code"] == "RepoNotFound"


def test_what_the_upstream_refuses_is_refused_in_its_words(registry: RegistryBench, hub: Hub) -> None:
    assert registry.http.get("/hub/api/models/org/other").headers["x-error-code"] == "RepoNotFound"
    assert registry.http.get(f"{INFO}/revision/v9").headers["x-error-code"] == "RevisionNotFound"
    assert registry.http.get(INFO).status_code == 200
    hub.gated = True
    answer = registry.http.get(CONFIG)
    assert (answer.status_code, answer.headers["x-error-code"]) == (403, "GatedRepo")
    # The listing is known by its commit, and the file is what is gated.
    answer = registry.http.get(CONFIG.replace("main", COMMIT))
    assert (answer.status_code, answer.headers["x-error-code"]) == (403, "GatedRepo")
    hub.gated = False
    assert content(got(registry, CONFIG)) == FILES["config.json"], "a refusal is no lasting one"


def test_it_is_off_unless_it_is_told(hub: Hub, database_url_for: DatabaseUrlFor, object_store: MinioStore) -> None:
    with registry_bench(database_url_for("registry"), object_store, upstream_url=hub.url) as bench:
        assert bench.http.get(INFO).headers["x-error-code"] == "RepoNotFound"
        assert bench.http.get(CONFIG).status_code == 404 and hub.ranges == []


def test_a_broken_fetch_goes_on_where_it_broke(registry: RegistryBench, hub: Hub) -> None:
    hub.cut_after["model.safetensors"] = PART + 300_000
    assert content(got(registry)) == LARGE
    (_, first), (_, second) = hub.ranges
    assert first == 0 and PART <= second <= PART + 300_000


def test_what_a_killed_process_left_is_gone_on_with(
    registry: RegistryBench, hub: Hub, database_url_for: DatabaseUrlFor
) -> None:
    hub.stall_after["model.safetensors"] = PART + PART // 2
    reader = threading.Thread(target=got, args=(registry,))
    reader.start()
    try:
        assert hub.stalled.wait(30)
        wait_until(lambda: list(registry.store.list("mirror/")), timeout=30)
        settings = {"upstream_url": hub.url, "mirror": True}
        with registry_bench(database_url_for("registry"), registry.store, **settings) as other:
            # A process that holds the lease and is dead looks just so to another one; this one may renew it soon.
            with registry.engine.begin() as connection:
                connection.execute(text("UPDATE fetches SET lease_until = now() - interval '1 second'"))
            assert content(got(other)) == LARGE
    finally:
        hub.go_on.set()
        reader.join(60)
    assert not reader.is_alive() and [begin for _, begin in hub.ranges] == [0, PART]
    assert content(got(registry)) == LARGE
    wait_until(lambda: not list(registry.store.list("mirror/")), timeout=30)


def test_wrong_bytes_are_neither_kept_nor_served(registry: RegistryBench, hub: Hub) -> None:
    hub.lies = {"config.json": b"x" * len(FILES["config.json"]), "model.safetensors": LARGE[:-1] + b"!"}
    answer = registry.http.get(CONFIG)
    assert answer.status_code == 502 and "other bytes" in answer.headers["x-error-message"]
    with served(registry.registry.app) as url, pytest.raises(httpx.RemoteProtocolError):
        httpx.get(url + WEIGHTS, timeout=30)  # its beginning had come by then: it ends before its end
    assert registry.blobs() == set() and list(registry.store.list("mirror/")) == []
    asked = len(hub.ranges)
    assert registry.http.get(WEIGHTS, headers={"range": f"bytes={PART}-"}).status_code == 502
    assert len(hub.ranges) == asked, "what a client has begun with is not completed with other bytes"
    hub.lies = {}
    forget_refusal(registry)
    assert content(got(registry)) == LARGE and content(got(registry, CONFIG)) == FILES["config.json"]


def test_many_at_once_are_one_fetch(
    registry: RegistryBench, hub: Hub, database_url_for: DatabaseUrlFor, object_store: MinioStore
) -> None:
    settings = {"upstream_url": hub.url, "mirror": True}
    with (
        registry_bench(database_url_for("registry"), object_store, **settings) as other,
        served(registry.registry.app) as one,
        served(other.registry.app) as two,
    ):
        answers: list[bytes] = []
        targets = [url + path for url in (one, two) for path in (WEIGHTS, CONFIG) for _ in range(4)]

        def ask(url: str) -> None:
            answers.append(httpx.get(url, timeout=60, follow_redirects=True).content)

        threads = [threading.Thread(target=ask, args=(url,)) for url in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
    assert sorted(map(len, answers)) == sorted([len(FILES["config.json"]), len(LARGE)] * 8)
    assert {hashlib.sha256(answer).hexdigest() for answer in answers} == {
        hashlib.sha256(data).hexdigest() for data in (LARGE, FILES["config.json"])
    }
    assert sorted(hub.ranges) == [("config.json", 0), ("model.safetensors", 0)]


def test_ranges_of_what_is_yet_to_come(registry: RegistryBench, hub: Hub) -> None:
    part = registry.http.get(WEIGHTS, headers={"range": "bytes=100-299"})
    assert part.status_code == 206 and part.data == LARGE[100:300]
    wait_until(lambda: whole(registry))
    assert content(got(registry, range="bytes=-5")) == LARGE[-5:]
    assert len(hub.ranges) == 1


def test_nobody_writes_to_a_mirror_and_a_local_repository_wins(registry: RegistryBench, hub: Hub) -> None:
    assert content(got(registry, CONFIG)) == FILES["config.json"]
    line = json.dumps({"key": "file", "value": {"path": "a.txt", "content": "YQ=="}})
    body = {"name": "model", "organization": "org"}
    refused = [
        registry.http.post(f"{INFO}/commit/main", data=line),
        registry.http.post(f"{INFO}/preupload/main", json={"files": []}),
        registry.http.post(f"{INFO}/tag/main", json={"tag": "mine"}),
        registry.http.post("/hub/api/repos/create", json=body),
        registry.http.delete("/hub/api/repos/delete", json=body),
        registry.http.get(f"{INFO}/xet-write-token/main"),
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert all("kargah hub mirror drop org/model" in answer.headers["x-error-message"] for answer in refused)
    mine = model_files()
    registry.version("org/model", mine)
    assert content(got(registry, CONFIG)) == mine["config.json"]
    assert registry.http.get(INFO).json["mirroredFrom"] is None
    assert registry.http.get("/api/hub/mirrors").json == {"items": []}


def test_a_mirror_is_listed_and_dropped(registry: RegistryBench, hub: Hub) -> None:
    assert content(got(registry)) == LARGE and wait_until(lambda: whole(registry))

    def collected() -> int:
        with registry.engine.begin() as connection:
            connection.execute(text("UPDATE blobs SET touched_at = now() - interval '3 days'"))
        return registry.registry.blobs.collect()

    assert collected() == 0, "what a mirror has is in use"
    with served(registry.registry.app) as url:

        def run(*words: str) -> str:
            return CliRunner().invoke(app, ["--url", url, "hub", "mirror", *words], terminal_width=160).output

        (listed,) = json.loads(run("list", "--json"))["items"]
        assert (listed["id"], listed["kind"], listed["files"], listed["keptFiles"]) == ("org/model", "models", 3, 1)
        assert listed["keptBytes"] == len(LARGE) and "1 of 3" in run("list")
        assert [one["mirroredFrom"] for one in registry.http.get("/hub/api/models").json] == [hub.url]
        assert "not mirrored any more" in run("drop", "org/model")
        assert "Nothing is mirrored" in run("list")
        assert registry.http.delete("/api/hub/mirrors/models/org/model").status_code == 404
    assert collected() == 1 and registry.blobs() == set()
    assert content(got(registry)) == LARGE, "it comes again"


def test_a_branch_is_followed_and_a_registry_does_not_ask_itself(
    registry: RegistryBench, hub: Hub, database_url_for: DatabaseUrlFor
) -> None:
    assert registry.http.get(f"{INFO}/refs").headers["x-error-code"] == "EntryNotFound", "that server has no list"
    with served(registry.registry.app) as url:
        own = {"upstream_url": f"{url}/hub", "mirror": True}
        with registry_bench(database_url_for("registry"), registry.store, **own) as itself:
            answer = itself.http.get("/hub/api/models/nobody/model")
            assert (answer.status_code, answer.headers["x-error-code"]) == (404, "RepoNotFound")
