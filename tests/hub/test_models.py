"""Models pushed with transformers and peft are Kargah's models, and the other way round."""

from __future__ import annotations

from pathlib import Path

import pytest

from kargah.clients.transport import ApiError
from tests.hub.client import CallFailed, StockClients
from tests.hub.conftest import Hub


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
