"""Models and datasets, read and pushed with huggingface_hub, transformers, peft and datasets.

One file, so that one worker of the suite makes the two processes in which these are imported, and no other does.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from kargah.clients.transport import ApiError
from tests.hub.client import CallFailed, StockClients
from tests.hub.conftest import Hub, start_registry

NAME = "lab/tiny"
ROWS = [{"question": f"پرسش {number}", "answer": str(number)} for number in range(50)]


@pytest.fixture(scope="session")
def installed(hub: Hub) -> str:
    """A model of two versions, which Kargah's own API made."""
    for _ in range(2):
        hub.kargah.models.install_folder(hub.tiny, NAME)
    hub.kargah.models.install_folder(hub.tiny, "alone")
    return NAME


def test_a_snapshot_is_the_model(hub: Hub, installed: str, clients: StockClients) -> None:
    expected = {path.name: path.read_bytes().decode("latin-1") for path in hub.tiny.iterdir()}
    assert clients("snapshot", repo_id=installed) == expected
    assert clients("snapshot", repo_id=installed, revision="v1", allow_patterns=["*.json"]).keys() == {
        name for name in expected if name.endswith(".json")
    }
    assert clients("snapshot", repo_id="alone") == expected
    assert clients("download", repo_id=installed, filename="config.json") == expected["config.json"]


def test_an_alias_is_a_revision(hub: Hub, installed: str, clients: StockClients) -> None:
    tags = clients("refs", repo_id=installed)["tags"]
    for version in (1, 2):
        hub.kargah.transport.send("PUT", f"/api/models/{installed}/aliases/production", json={"version": version})
        assert clients("info", repo_id=installed, revision="production")["sha"] == tags[f"v{version}"]
    assert clients("info", repo_id=installed, revision="latest")["sha"] == tags["v2"]


def test_from_pretrained_speaks_like_the_original(hub: Hub, installed: str, clients: StockClients) -> None:
    said = clients("generate", repo_id=str(hub.tiny))
    assert clients("generate", repo_id=installed) == said
    assert clients("generate", repo_id=installed, revision="v1") == said


def test_what_is_absent_is_said_to_be(installed: str, clients: StockClients) -> None:
    assert clients("exists", repo_id=installed) and not clients("exists", repo_id="lab/nothing")
    assert clients("exists", repo_id=installed, filename="config.json")
    assert not clients("exists", repo_id=installed, filename="other.json")
    assert clients("revision_exists", repo_id=installed, revision="v2")
    assert not clients("revision_exists", repo_id=installed, revision="v9")
    assert _error(clients, "download", repo_id=installed, filename="absent.bin") == "RemoteEntryNotFoundError"
    assert _error(clients, "download", repo_id="lab/nothing", filename="x") == "RepositoryNotFoundError"
    assert _error(clients, "snapshot", repo_id=installed, revision="absent") == "RevisionNotFoundError"
    assert _error(clients, "tree", repo_id=installed, path_in_repo="absent") == "RemoteEntryNotFoundError"


def test_lists_and_infos(hub: Hub, installed: str, clients: StockClients) -> None:
    assert {"lab/tiny", "alone"} <= set(clients("names"))
    assert clients("names", author="lab") == ["lab/tiny"] and clients("names", search="TIN", author="lab") == [
        "lab/tiny"
    ]
    assert clients("names", filter="text-generation", author="lab") == ["lab/tiny"]
    assert clients("names", search="nothing like it") == [] == clients("names", filter="no-such-tag")
    assert len(clients("names", limit=1)) == 1
    info = clients("info", repo_id=installed, files_metadata=True)
    assert info["pipeline_tag"] == "text-generation" and info["library_name"] == "transformers"
    assert {"llama", "safetensors"} <= set(info["tags"]) and info["author"] == "lab"
    assert clients("info", repo_id=installed, revision=info["sha"][:9])["sha"] == info["sha"]
    weights = hub.tiny / "model.safetensors"
    assert info["siblings"]["model.safetensors"][0] == weights.stat().st_size


def test_trees_refs_and_commits(hub: Hub, installed: str, clients: StockClients) -> None:
    names = sorted(path.name for path in hub.tiny.iterdir())
    assert clients("files", repo_id=installed) == names
    assert clients("tree", repo_id=installed, recursive=True) == [f"RepoFile {name}" for name in names]
    assert clients("paths_info", repo_id=installed, paths=["config.json", "absent"]) == ["RepoFile config.json"]
    refs = clients("refs", repo_id=installed)
    assert refs["branches"]["main"] == refs["tags"]["v2"] != refs["tags"]["v1"]
    assert clients("commits", repo_id=installed) == ["Version 2", "Version 1", "initial commit"]


def test_large_files_come_from_the_store_itself(hub: Hub, installed: str) -> None:
    address = f"{hub.registry}/hub/{installed}/resolve/main"
    found = httpx.head(f"{address}/model.safetensors")
    assert found.status_code == 302 and f"/{hub.store.bucket}/blobs/" in found.headers["location"]
    weights = (hub.tiny / "model.safetensors").read_bytes()
    assert found.headers["x-linked-size"] == str(len(weights)) and len(found.headers["x-repo-commit"]) == 40
    part = httpx.get(f"{address}/model.safetensors", headers={"range": "bytes=8-99"}, follow_redirects=True)
    assert part.status_code == 206 and part.content == weights[8:100]
    small = httpx.get(f"{address}/config.json", headers={"range": "bytes=0-0"})
    assert (
        small.status_code == 206 and small.content == b"{" and json.loads(httpx.get(f"{address}/config.json").content)
    )
    known = httpx.get(f"{address}/config.json", headers={"if-none-match": small.headers["etag"]})
    assert known.status_code == 304 and len(small.headers["etag"]) == 42


def test_a_registry_may_send_large_files_itself(hub: Hub, installed: str, tmp_path: Path) -> None:
    url, process = start_registry(hub, tmp_path, KARGAH_HUB_REDIRECT="0")
    with process:
        address = f"{url}/hub/{installed}/resolve/main/model.safetensors"
        assert httpx.get(address).content == (hub.tiny / "model.safetensors").read_bytes()
        found = httpx.head(address)
        assert found.status_code == 200 and found.headers["x-linked-size"] == found.headers["content-length"]
        assert found.headers["etag"] == found.headers["x-linked-etag"] and len(found.headers["etag"]) == 66


def _error(clients: StockClients, function: str, **arguments: str) -> str:
    with pytest.raises(CallFailed) as caught:
        clients(function, **arguments)
    return caught.value.kind


@pytest.fixture(scope="session")
def pushed(hub: Hub, clients: StockClients) -> str:
    """A model and its tokenizer, pushed by transformers; then an adapter upon it, pushed by peft."""
    owner = "pushed-xet" if clients.xet else "pushed-lfs"
    clients("push_model", folder=str(hub.tiny), repo_id=f"{owner}/model")
    clients("push_adapter", base=f"{owner}/model", repo_id=f"{owner}/adapter")
    return owner


def test_a_pushed_model_speaks_like_the_original(hub: Hub, pushed: str, clients: StockClients) -> None:
    assert clients("generate", repo_id=f"{pushed}/model") == clients("generate", repo_id=str(hub.tiny))
    info = clients("info", repo_id=f"{pushed}/model")
    assert info["library_name"] == "transformers" and info["pipeline_tag"] == "text-generation"


def test_a_pushed_model_is_kargahs(hub: Hub, pushed: str, clients: StockClients, tmp_path: Path) -> None:
    found = hub.kargah.models.get(f"{pushed}/model").latest
    assert found.source == "hub push" and found.facts.kind == "causal_lm" and found.facts.has_chat_template
    refs = clients("refs", repo_id=f"{pushed}/model")
    assert refs["tags"][f"v{found.version}"] == refs["branches"]["main"]
    hub.kargah.models.download(f"{pushed}/model", tmp_path)
    assert clients("generate", repo_id=str(tmp_path)) == clients("generate", repo_id=f"{pushed}/model")
    clients("upload", repo_id=f"{pushed}/model", path="README.md", content="# a better card")
    assert hub.kargah.models.get(f"{pushed}/model").latest.version == found.version


def test_a_pushed_adapter_is_loaded_upon_its_base(hub: Hub, pushed: str, clients: StockClients) -> None:
    found = hub.kargah.models.get(f"{pushed}/adapter").latest
    assert found.facts.kind == "adapter" and found.facts.base_model == f"{pushed}/model"
    said = clients("generate", repo_id=f"{pushed}/model", adapter=f"{pushed}/adapter")
    assert said != clients("generate", repo_id=f"{pushed}/model")
    with pytest.raises(CallFailed, match="409"):
        clients("delete", repo_id=f"{pushed}/model")


def test_a_commit_that_is_no_model_is_only_a_commit(hub: Hub, clients: StockClients, owner: str) -> None:
    name = f"{owner}/not-yet"
    clients("create", repo_id=name)
    clients("upload_folder", repo_id=name, folder=str(hub.tiny), ignore_patterns=["*.safetensors"])
    with pytest.raises(ApiError):
        hub.kargah.models.get(name)
    clients("upload_folder", repo_id=name, folder=str(hub.tiny), revision="main")
    assert hub.kargah.models.get(name).latest.version == 1
    clients("commit", repo_id=name, add={"config.json": '{"model_type": "llama", "auto_map": {"AutoModel": "x.Y"}}'})
    assert hub.kargah.models.get(name).latest.version == 1
    clients("move", from_id=name, to_id=f"{owner}/by-now")
    assert hub.kargah.models.get(f"{owner}/by-now").latest.version == 1
    clients("delete", repo_id=f"{owner}/by-now")
    with pytest.raises(ApiError):
        hub.kargah.models.get(f"{owner}/by-now")


def test_versions_that_go_take_their_commits_along(hub: Hub, clients: StockClients, owner: str) -> None:
    name = f"{owner}/going"
    for _ in range(2):
        hub.kargah.models.install_folder(hub.tiny, name)
    first = clients("refs", repo_id=name)["tags"]["v1"]
    hub.kargah.transport.send("DELETE", f"/api/models/{name}", params={"version": "2"})
    assert clients("refs", repo_id=name) == {"branches": {"main": first}, "tags": {"v1": first}}
    hub.kargah.models.delete(name)
    assert not clients("exists", repo_id=name)


def test_a_pushed_dataset_is_loaded(clients: StockClients, owner: str) -> None:
    name = f"{owner}/questions"
    clients("push_dataset", repo_id=name, rows=ROWS)
    assert clients("load", repo_id=name) == ROWS == clients("load", repo_id=name, streaming=True)
    assert name in clients("dataset_names", author=owner) and not clients("exists", repo_id=name)
    assert clients("exists", repo_id=name, repo_type="dataset")
    clients("push_dataset", repo_id=name, rows=ROWS[:7])
    assert clients("load", repo_id=name) == ROWS[:7]


def test_lines_of_json_are_a_dataset(clients: StockClients, owner: str, tmp_path: Path) -> None:
    name = f"{owner}/lines"
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    clients("create", repo_id=name, repo_type="dataset")
    clients("upload_folder", repo_id=name, folder=str(tmp_path), repo_type="dataset")
    assert clients("load", repo_id=name) == ROWS == clients("load", repo_id=name, streaming=True)
    assert clients("files", repo_id=name, repo_type="dataset") == ["train.jsonl"]
