"""Aliases, tags and lineage on a real Postgres: what they point to stays, and what was made of what is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from kargah.adapters.minio_store import MinioStore
from kargah.db.engine import create_engine
from kargah.db.migrate import migrate
from kargah.testing.fixtures import DatabaseUrlFor
from registry.testing.bench import RegistryBench, adapter_files, model_files, registry_bench, sha256


@pytest.fixture
def registry(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[RegistryBench]:
    with registry_bench(database_url_for("registry"), object_store) as bench:
        yield bench


def three(registry: RegistryBench, name: str = "m") -> None:
    for number in range(3):
        registry.version(name, model_files(number))


def point(registry: RegistryBench, alias: str, version: int, name: str = "m", **extra: Any) -> Any:
    return registry.http.put(f"/api/models/{name}/aliases/{alias}", json={"version": version, **extra})


def test_an_alias_points_moves_and_tells_where_it_was(registry: RegistryBench) -> None:
    three(registry)
    assert registry.http.get("/api/models/m/aliases").json == {"items": [], "nextCursor": None, "total": 0}
    first = point(registry, "production", 1).json
    assert (first["alias"], first["model"], first["version"], first["previous"]) == ("production", "m", 1, None)
    assert point(registry, "production", 3).json["previous"] == 1
    assert point(registry, "production", 3).json["previous"] == 1, "pointing to the same again forgets nothing"
    assert point(registry, "candidate", 3).status_code == 200
    shown = registry.http.get("/api/models/m?version=production").json["latest"]
    assert (shown["version"], shown["aliases"]) == (3, ["candidate", "production"])
    assert registry.http.get("/api/models/m/location?version=production").json["version"]["version"] == 3
    assert registry.http.get("/api/models/m/files/README.md?version=production").status_code == 200
    assert registry.http.get("/api/models/m?version=latest").json["latest"]["version"] == 3
    assert [one["alias"] for one in registry.http.get("/api/models/m/aliases").json["items"]] == [
        "candidate",
        "production",
    ]
    assert registry.http.delete("/api/models/m/aliases/candidate").status_code == 204
    assert registry.http.delete("/api/models/m/aliases/candidate").status_code == 404
    assert registry.http.get("/api/models/m?version=candidate").status_code == 404


def test_who_knows_a_version_is_told_only_whether_it_is_still_meant(registry: RegistryBench) -> None:
    three(registry)
    point(registry, "production", 1)
    path = "/api/models/m/location?version=production"
    known = {"if-none-match": registry.http.get(path).headers["etag"]}
    unchanged = registry.http.get(path, headers=known)
    assert (unchanged.status_code, unchanged.data, unchanged.headers["etag"]) == (304, b"", known["if-none-match"])
    point(registry, "production", 3)
    moved = registry.http.get(path, headers=known)
    assert (moved.status_code, moved.json["version"]["version"]) == (200, 3)
    assert moved.headers["etag"] != known["if-none-match"]
    assert registry.http.delete("/api/models/m/aliases/production").status_code == 204
    assert registry.http.get(path, headers=known).status_code == 404


def test_an_alias_of_one_model_is_none_of_another(registry: RegistryBench) -> None:
    three(registry)
    registry.version("owner/other")
    point(registry, "production", 2)
    point(registry, "production", 1, "owner/other")
    assert registry.http.get("/api/models/owner/other?version=production").json["latest"]["version"] == 1
    assert registry.http.get("/api/models/m?version=production").json["latest"]["version"] == 2


@pytest.mark.parametrize("alias", ["latest", "3", "-x", "a b", "x" * 65, "%D8%A7"])
def test_what_can_be_no_alias_is_refused(registry: RegistryBench, alias: str) -> None:
    three(registry)
    answer = point(registry, alias, 1)
    assert answer.status_code == 422 and answer.json["errors"][0]["field"] == "alias"


def test_an_alias_points_to_what_is_there_and_moves_as_expected(registry: RegistryBench) -> None:
    three(registry)
    assert point(registry, "production", 4).status_code == 404
    assert point(registry, "production", 1, "absent").status_code == 404
    assert point(registry, "production", 0).status_code == 422
    assert point(registry, "production", 1, expected=2).status_code == 409
    assert point(registry, "production", 1, expected=0).status_code == 200
    assert point(registry, "production", 2, expected=0).status_code == 409
    assert point(registry, "production", 2, expected=1).json["previous"] == 1


@pytest.mark.campaign
def test_readers_always_find_the_one_or_the_other(registry: RegistryBench) -> None:
    three(registry)
    point(registry, "production", 1)
    stop, seen = threading.Event(), []

    def read() -> None:
        with registry.registry.app.test_client() as http:
            while not stop.is_set():
                answer = http.get("/api/models/m?version=production")
                seen.append(answer.json["latest"]["version"] if answer.status_code == 200 else None)

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(20):
        point(registry, "production", 1 + turn % 3)
    stop.set()
    reader.join(timeout=30)
    assert seen and set(seen) <= {1, 2, 3}


def test_what_an_alias_points_to_stays(registry: RegistryBench) -> None:
    three(registry)
    point(registry, "production", 2)
    point(registry, "production", 3)
    for url in ("/api/models/m", "/api/models/m?version=3", "/api/models/m?version=production"):
        answer = registry.http.delete(url)
        assert answer.status_code == 409 and "m@production" in answer.json["detail"]
    assert registry.http.delete("/api/models/m?version=2").status_code == 204, "where it was before may go"
    assert registry.http.get("/api/models/m/aliases").json["items"][0]["previous"] is None
    assert registry.http.delete("/api/models/m/aliases/production").status_code == 204
    assert registry.http.delete("/api/models/m").status_code == 204


def test_a_version_that_goes_while_an_alias_moves_there(registry: RegistryBench) -> None:
    """One of the two wins; an alias never points to nothing."""
    for turn in range(8):
        name = f"m{turn}"
        registry.version(name, model_files(1))
        registry.version(name, model_files(2))
        outcomes: dict[str, int] = {}

        def attempt(what: str, url: str, outcomes: dict[str, int] = outcomes, **options: Any) -> None:
            with registry.registry.app.test_client() as http:
                outcomes[what] = http.open(url, **options).status_code

        move = {"url": f"/api/models/{name}/aliases/production", "method": "PUT", "json": {"version": 1}}
        gone = {"url": f"/api/models/{name}?version=1", "method": "DELETE"}
        threads = [
            threading.Thread(target=attempt, args=(what,), kwargs=options)
            for what, options in (("move", move), ("gone", gone))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
        assert (outcomes["move"], outcomes["gone"]) in [(200, 409), (404, 204)]
        there = registry.http.get(f"/api/models/{name}?version=production").status_code
        assert there == (200 if outcomes["move"] == 200 else 404)


def test_tags_are_put_on_and_taken_off(registry: RegistryBench) -> None:
    three(registry)
    body = {"add": ["persian", "فارسی", "team:a"]}
    assert registry.http.patch("/api/models/m/tags?version=1", json=body).json["tags"] == ["persian", "team:a", "فارسی"]
    body = {"add": ["v1.0", "persian"], "remove": ["team:a", "absent"]}
    assert registry.http.patch("/api/models/m/tags?version=1", json=body).json["tags"] == ["persian", "v1.0", "فارسی"]
    assert registry.http.get("/api/models/m").json["latest"]["tags"] == []
    assert registry.http.get("/api/models/m?version=1").json["latest"]["tags"] == ["persian", "v1.0", "فارسی"]
    for bad in (["two words"], [""], ["x" * 65], [1]):
        assert registry.http.patch("/api/models/m/tags", json={"add": bad}).status_code == 422
    many = {"add": [f"t{number}" for number in range(50)]}
    assert registry.http.patch("/api/models/m/tags", json=many).status_code == 200
    more = {"add": [f"u{number}" for number in range(51)]}
    assert registry.http.patch("/api/models/m/tags", json=more).status_code == 422
    assert registry.http.patch("/api/models/m/tags", json={"add": more["add"][:50]}).status_code == 200
    assert registry.http.patch("/api/models/m/tags", json={"add": ["last"]}).status_code == 409
    assert registry.http.patch("/api/models/absent/tags", json={"add": ["x"]}).status_code == 404
    assert registry.http.delete("/api/models/m").status_code == 204


def family(registry: RegistryBench) -> dict[str, dict[str, Any]]:
    """A base, an adapter, one trained further from it, and an export of that."""
    base = registry.version("base", model_files(card="---\nlicense: apache-2.0\n---\n# base"))
    rows = {"dataset": "persian_qa", "dataset_version": 2, "dataset_version_id": "dv_1", "dataset_sha256": "0" * 64}
    first = registry.version(
        "first", adapter_files(1), lineage={"base_version_id": base["id"], "job_id": "job_1", **rows}
    )
    lineage = {"base_version_id": base["id"], "parent_version_id": first["id"], "job_id": "job_2", **rows}
    second = registry.version("second", adapter_files(2), lineage=lineage)
    exported = {"exported_from": {"name": "second", "version": 1, "version_id": second["id"]}}
    merged = registry.version("merged", model_files(9), lineage={"base_version_id": base["id"], **exported})
    return {"base": base, "first": first, "second": second, "merged": merged}


def edges(nodes: list[dict[str, Any]]) -> set[tuple[str | None, str, int]]:
    return {(node["model"], node["relation"], node["depth"]) for node in nodes}


def test_lineage_is_told_both_ways(registry: RegistryBench) -> None:
    family(registry)
    view = registry.http.get("/api/models/merged/lineage").json
    assert view["version"]["model"] == "merged" and view["descendants"] == []
    assert edges(view["ancestors"]) >= {("second", "exported_from", 1), ("base", "base", 1), ("first", "parent", 2)}
    second = next(node for node in view["ancestors"] if node["model"] == "second")
    assert (second["dataset"], second["jobId"], second["kind"]) == ("persian_qa@2", "job_2", "adapter")
    below = registry.http.get("/api/models/base/lineage?version=1").json
    assert below["ancestors"] == []
    assert {node["model"] for node in below["descendants"]} == {"first", "second", "merged"}
    assert registry.http.get("/api/models/absent/lineage").status_code == 404


def test_what_was_exported_is_told_once(registry: RegistryBench) -> None:
    base = registry.version("base")
    lineage = {"base_version_id": base["id"], "exported_from": {"name": "base", "version": 1, "version_id": base["id"]}}
    registry.version("base-gguf", model_files(3), lineage=lineage)
    assert edges(registry.http.get("/api/models/base-gguf/lineage").json["ancestors"]) == {("base", "exported_from", 1)}
    assert edges(registry.http.get("/api/models/base/lineage").json["descendants"]) == {
        ("base-gguf", "exported_from", 1)
    }


def test_a_history_outlives_what_it_tells_of(registry: RegistryBench) -> None:
    made = family(registry)
    assert registry.http.delete("/api/models/second").status_code == 204
    view = registry.http.get("/api/models/merged/lineage").json
    gone = next(node for node in view["ancestors"] if node["relation"] == "exported_from")
    assert (gone["id"], gone["present"], gone["model"]) == (made["second"]["id"], False, None)


def test_the_licence_comes_from_the_card_and_goes_down_to_adapters(registry: RegistryBench) -> None:
    made = family(registry)
    assert made["base"]["facts"]["license"] == "apache-2.0"
    assert made["first"]["facts"]["license"] == "apache-2.0"


def test_a_base_under_many_adapters_is_stored_once(registry: RegistryBench) -> None:
    base = registry.version("base")
    for number in range(5):
        registry.version(f"tuned{number}", adapter_files(number), lineage={"base_version_id": base["id"]})
    weights = {file["sha256"] for file in base["files"]}
    own = {sha256(adapter_files(number)["adapter_model.safetensors"]) for number in range(5)}
    assert registry.blobs() == weights | own | {sha256(adapter_files()["adapter_config.json"])}


@pytest.mark.campaign
def test_collecting_beside_commits_moves_and_deletes(registry: RegistryBench) -> None:
    """Whatever happens at once: a version that is there has all of its blobs."""
    three(registry)
    errors: list[str] = []

    def churn(number: int) -> None:
        with registry.registry.app.test_client() as http:
            mine = RegistryBench(http, registry.engine, registry.store, registry.registry)
            for turn in range(5):
                answer = mine.post_version(f"c{number}", model_files(100 + turn % 2))
                if answer.status_code not in (201, 503):
                    errors.append(str(answer.json))
                elif answer.status_code == 201:
                    point(mine, "candidate", answer.json["version"], f"c{number}")

    threads = [threading.Thread(target=churn, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with registry.engine.begin() as connection:
            connection.execute(
                text(
                    "UPDATE blobs SET touched_at = touched_at - interval '25 hours'"
                    " WHERE touched_at < now() - interval '1 second'"
                )
            )
        registry.registry.blobs.collect()
    for thread in threads:
        thread.join(timeout=60)
    assert errors == []
    present = registry.blobs()
    for model in registry.http.get("/api/models").json["items"]:
        assert {file["sha256"] for file in model["latest"]["files"]} <= present


def test_versions_of_an_older_release_get_their_lineage(database_url: str) -> None:
    """The migration reads what their lineage says."""
    migrate(database_url, "registry", "0001")
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO models (id, name) VALUES ('m1', 'm')"))
        for number, lineage in ((1, "{}"), (2, '{"base_version_id": "v1", "exported_from": {"version_id": "v0"}}')):
            connection.execute(
                text(
                    "INSERT INTO versions (id, model_id, number, facts, size_bytes, source, lineage)"
                    " VALUES (:id, 'm1', :number, '{}', 1, 's', cast(:lineage AS jsonb))"
                ),
                {"id": f"v{number}", "number": number, "lineage": lineage},
            )
    migrate(database_url, "registry")
    with engine.connect() as connection:
        found = connection.execute(text("SELECT version_id, relation, parent_id FROM version_parents ORDER BY 2")).all()
    engine.dispose()
    assert [tuple(row) for row in found] == [("v2", "base", "v1"), ("v2", "exported_from", "v0")]


@pytest.mark.parametrize(
    "url",
    [
        "/api/models/o/m?version=production",
        "/api/models/o/m/location?version=production",
        "/api/models?search=o/m",
        "/hub/api/models/o/m/revision/production",
        "/hub/api/models/o/m/tree/production",
        "/hub/o/m/resolve/production/config.json",
        "/hub/api/models?full=true",
    ],
)
@pytest.mark.campaign
def test_a_reader_sees_one_moment_whatever_moves_meanwhile(registry: RegistryBench, url: str) -> None:
    """After each of a reader's statements in turn the alias moves on, and the version that it had is deleted."""
    registry.version("o/m", model_files(0))
    point(registry, "production", 1, "o/m")
    for statement in range(12):
        before = statement + 1
        with _after(registry, statement, lambda before=before: _go_on(registry, before)) as happened:
            answer = registry.http.get(url)
        assert answer.status_code == 200, (statement, answer.json)
        if url.startswith("/api/"):
            found = answer.json["items"][0] if "items" in answer.json else answer.json
            told = found["version"] if "location" in url else found["latest"]
            assert told["version"] == before and told["aliases"] == ["production"] and len(told["files"]) == 3
        elif "full" in url:
            assert len(answer.json[0]["siblings"]) == 3
        if not happened:
            assert statement > 1
            return


@contextmanager
def _after(registry: RegistryBench, statement: int, act: Callable[[], None]) -> Iterator[list[bool]]:
    """Calls `act` after that many statements of this test's reader, where there are so many; tells whether it did."""
    left, happened, reader = [statement], list[bool](), threading.get_ident()

    def look(*_: Any) -> None:
        if threading.get_ident() != reader:
            return
        left[0] -= 1
        if left[0] == -1:
            happened.append(True)
            thread = threading.Thread(target=act)
            thread.start()
            thread.join(timeout=30)

    event.listen(registry.engine, "after_cursor_execute", look)
    try:
        yield happened
    finally:
        event.remove(registry.engine, "after_cursor_execute", look)


def _go_on(registry: RegistryBench, before: int) -> None:
    with registry.registry.app.test_client() as http:
        bench = RegistryBench(http, registry.engine, registry.store, registry.registry)
        bench.version("o/m", model_files(before))
        assert point(bench, "production", before + 1, "o/m").status_code == 200
        assert http.delete(f"/api/models/o/m?version={before}").status_code == 204
