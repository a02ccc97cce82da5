"""Datasets that were uploaded to Kargah, as stock clients read them at /hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from kargah.contracts.datasets import DatasetVersionView, HashSplit, SplitRequest
from tests.hub.client import CallFailed, StockClients
from tests.hub.conftest import Hub, start_registry

ROWS = [{"question": f"پرسش {number}؟", "answer": f"پاسخ {number}"} for number in range(60)]
DATA = "data/train.jsonl"


@dataclass(frozen=True)
class Uploaded:
    """A dataset of three versions: all rows; the same divided; the first ten."""

    name: str
    versions: tuple[DatasetVersionView, ...]


def upload(hub: Hub, folder: Path, name: str, rows: list[dict[str, str]]) -> DatasetVersionView:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return hub.kargah.datasets.upload(path, name=name)


@pytest.fixture(scope="module")
def clients(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StockClients]:
    """Of one mode, for reads are the same in both."""
    found = StockClients(f"{hub.gateway}/hub", tmp_path_factory.mktemp("clients"), xet=True)
    yield found
    found.close()


@pytest.fixture(scope="module")
def uploaded(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Uploaded:
    name, folder = "sets/qa", tmp_path_factory.mktemp("rows")
    whole = upload(hub, folder, name, ROWS)
    divided = hub.kargah.datasets.split(name, SplitRequest(hash=HashSplit(test=0.3, seed=7)))
    return Uploaded(name, (whole, divided, upload(hub, folder, name, ROWS[:10])))


def read(clients: StockClients, function: str, name: str, **options: object) -> object:
    return clients(function, repo_id=name, repo_type="dataset", **options)


def test_load_dataset_reads_every_version_whole_and_streamed(clients: StockClients, uploaded: Uploaded) -> None:
    for streaming in (False, True):
        assert clients("load", repo_id=uploaded.name, streaming=streaming) == ROWS[:10]
        for revision in ("1", "v1"):
            assert clients("load", repo_id=uploaded.name, revision=revision, streaming=streaming) == ROWS


def test_a_name_without_an_owner_gets_one_that_load_dataset_takes(
    hub: Hub, clients: StockClients, tmp_path: Path
) -> None:
    upload(hub, tmp_path, "persian_qa", ROWS)
    name = "kargah/persian_qa"
    assert clients("load", repo_id=name) == ROWS == clients("load", repo_id=name, streaming=True)
    assert clients("dataset_names", author="kargah") == [name] == clients("dataset_names", search="persian")
    for spelling in (name, "persian_qa"):
        assert read(clients, "files", spelling) == ["README.md", DATA]
        with pytest.raises(CallFailed, match="uploaded to Kargah"):
            clients("push_dataset", repo_id=spelling, rows=ROWS)


def test_splits_are_splits(hub: Hub, clients: StockClients, uploaded: Uploaded) -> None:
    places = hub.kargah.transport.send("GET", f"/api/datasets/{uploaded.name}/splits?version=2").content
    expected = {
        name: [row for row, place in zip(ROWS, places, strict=True) if place == number]
        for number, name in ((0, "train"), (2, "test"))
    }
    assert all(expected.values())
    for streaming in (False, True):
        found = clients("load_all", repo_id=uploaded.name, revision="v2", streaming=streaming)
        assert found == expected


def test_a_snapshot_is_the_rows_and_their_card(clients: StockClients, uploaded: Uploaded) -> None:
    found = read(clients, "snapshot", uploaded.name, revision="v1")
    assert isinstance(found, dict) and found.keys() == {"README.md", DATA}
    assert hashlib.sha256(found[DATA].encode("latin-1")).hexdigest() == uploaded.versions[0].sha256
    info = clients("info", repo_id=uploaded.name, repo_type="dataset", files_metadata=True)
    assert {"kargah", "question_answer", "language:fa"} <= set(info["tags"])
    assert info["card"]["configs"] == [{"config_name": "default", "data_files": [{"split": "train", "path": DATA}]}]
    newest = uploaded.versions[2]
    assert info["siblings"][DATA] == [newest.stats.size_bytes, newest.sha256]


def test_versions_are_tags_whose_commits_stay(clients: StockClients, uploaded: Uploaded) -> None:
    refs = read(clients, "refs", uploaded.name)
    assert isinstance(refs, dict) and list(refs["tags"]) == ["v1", "v2", "v3"]
    assert refs["branches"] == {"main": refs["tags"]["v3"]} and len(set(refs["tags"].values())) == 3
    for revision, sha in {**refs["tags"], "main": refs["tags"]["v3"], "refs/tags/v2": refs["tags"]["v2"]}.items():
        assert clients("info", repo_id=uploaded.name, repo_type="dataset", revision=revision)["sha"] == sha
        assert clients("info", repo_id=uploaded.name, repo_type="dataset", revision=sha[:9])["sha"] == sha
    assert read(clients, "commits", uploaded.name) == ["Version 3", "Version 2", "Version 1"]
    assert read(clients, "commits", uploaded.name, revision="v1") == ["Version 1"]
    splits = ["RepoFile data/test.jsonl", f"RepoFile {DATA}"]
    assert read(clients, "tree", uploaded.name, revision="v2", path_in_repo="data") == splits
    paths = read(clients, "paths_info", uploaded.name, paths=["data", DATA, "absent"])
    assert paths == ["RepoFolder data", f"RepoFile {DATA}"]


def test_what_is_absent_is_said_to_be(clients: StockClients, uploaded: Uploaded) -> None:
    assert read(clients, "exists", uploaded.name) and not clients("exists", repo_id=uploaded.name)
    assert not read(clients, "exists", uploaded.name, filename="data/test.jsonl")
    for revision in ("v9", "9", "elsewhere", "0000001" + "0" * 33):
        with pytest.raises(CallFailed) as caught:
            read(clients, "snapshot", uploaded.name, revision=revision)
        assert caught.value.kind == "RevisionNotFoundError"


def test_lists_have_uploaded_and_pushed_ones(hub: Hub, clients: StockClients, tmp_path: Path) -> None:
    for number in range(3):
        upload(hub, tmp_path, f"listed/{number}", ROWS)
        clients("create", repo_id=f"listed/pushed{number}", repo_type="dataset")
    names = [f"listed/{name}" for name in ("pushed2", "2", "pushed1", "1", "pushed0", "0")]
    assert clients("dataset_names", author="listed") == names
    assert clients("dataset_names", author="listed", filter="kargah") == names[1::2]
    pages = [f"{hub.registry}/hub/api/datasets?author=listed&limit=2"]
    while len(pages) < 4 and (following := httpx.get(pages[-1]).links.get("next")):
        pages.append(following["url"])
    assert [one["id"] for page in pages for one in httpx.get(page).json()] == names
    full = httpx.get(f"{hub.registry}/hub/api/datasets?search=listed/2&full=true").json()
    assert [[one["rfilename"] for one in found["siblings"]] for found in full] == [["README.md", DATA]]


def test_files_come_from_the_store_by_ranges(hub: Hub, uploaded: Uploaded, tmp_path: Path) -> None:
    divided = uploaded.versions[1]
    assert divided.splits is not None
    rows = hub.store.get(f"datasets/{divided.splits.files['test']}")
    place = f"hub/datasets/{uploaded.name}/resolve/v2/data/test.jsonl"
    head = httpx.head(f"{hub.registry}/{place}")
    assert head.status_code == 302 and f"/{hub.store.bucket}/datasets/" in head.headers["location"]
    assert head.headers["x-linked-size"] == str(len(rows))
    assert head.headers["x-linked-etag"] == f'"{hashlib.sha256(rows).hexdigest()}"'
    url, process = start_registry(hub, tmp_path, KARGAH_HUB_REDIRECT="0")
    with process:
        for base, follow in ((hub.registry, True), (url, False)):
            part = httpx.get(f"{base}/{place}", headers={"range": "bytes=7-99"}, follow_redirects=follow)
            assert part.status_code == 206 and part.content == rows[7:100]
    card = httpx.get(
        f"{hub.registry}/hub/datasets/{uploaded.name}/resolve/v2/README.md", headers={"range": "bytes=0-2"}
    )
    assert card.status_code == 206 and card.content == b"---"


def test_nobody_pushes_to_an_uploaded_dataset(clients: StockClients, uploaded: Uploaded) -> None:
    refused = {
        "create": {"repo_id": uploaded.name},
        "upload": {"repo_id": uploaded.name, "path": "x.txt", "content": "x"},
        "commit": {"repo_id": uploaded.name, "remove": [DATA]},
        "delete": {"repo_id": uploaded.name},
        "create_tag": {"repo_id": uploaded.name, "tag": "mine"},
    }
    for function, arguments in refused.items():
        with pytest.raises(CallFailed, match="uploaded to Kargah"):
            clients(function, repo_type="dataset", **arguments)
    clients("create", repo_id="mine/other", repo_type="dataset")
    with pytest.raises(CallFailed, match="uploaded to Kargah"):
        clients("move", from_id="mine/other", to_id="sets/qa", repo_type="dataset")


def test_a_pushed_repository_of_the_same_name_wins(hub: Hub, clients: StockClients, tmp_path: Path) -> None:
    name = "mine/both"
    clients("push_dataset", repo_id=name, rows=ROWS[:7])
    upload(hub, tmp_path, name, ROWS)
    assert clients("load", repo_id=name) == ROWS[:7]
    assert clients("dataset_names", search=name) == [name]
    clients("delete", repo_id=name, repo_type="dataset")
    assert clients("load", repo_id=name) == ROWS


def test_a_version_that_goes_leaves_the_others_as_they_were(hub: Hub, clients: StockClients, tmp_path: Path) -> None:
    name = "mine/going"
    for count in (10, 20, 30):
        upload(hub, tmp_path, name, ROWS[:count])
    before = read(clients, "refs", name)
    hub.kargah.datasets.delete(name, version=3)
    after = read(clients, "refs", name)
    assert isinstance(before, dict) and isinstance(after, dict)
    assert after["tags"] == {tag: before["tags"][tag] for tag in ("v1", "v2")}
    assert after["branches"]["main"] == before["tags"]["v2"]
    assert clients("load", repo_id=name) == ROWS[:20]
