"""Repositories, files, branches and tags, made with the stock clients."""

from __future__ import annotations

import hashlib

import pytest

from tests.hub.client import CallFailed, StockClients
from tests.hub.conftest import PART_BYTES, Hub


@pytest.fixture
def repo(clients: StockClients, owner: str, request: pytest.FixtureRequest) -> str:
    """An empty model repository of this test's own."""
    name = f"{owner}/{request.node.originalname.replace('_', '-')[5:60].strip('-')}"
    assert clients("create", repo_id=name) == name
    return name


def test_a_repository_comes_and_goes(clients: StockClients, owner: str) -> None:
    name = f"{owner}/comes"
    assert clients("create", repo_id=name, private=True) == name == clients("create", repo_id=name, exist_ok=True)
    assert "409" in _message(clients, "create", repo_id=name)
    assert clients("info", repo_id=name)["private"] and clients("commits", repo_id=name) == ["initial commit"]
    clients("settings", repo_id=name, private=False)
    assert not clients("info", repo_id=name)["private"]
    clients("move", from_id=name, to_id=f"{owner}/moved")
    assert not clients("exists", repo_id=name) and clients("exists", repo_id=f"{owner}/moved")
    clients("delete", repo_id=f"{owner}/moved")
    assert not clients("exists", repo_id=f"{owner}/moved")
    assert _kind(clients, "delete", repo_id=f"{owner}/moved") == "RepositoryNotFoundError"
    assert clients("create", repo_id="nobodys", exist_ok=True) == "kargah/nobodys"
    assert clients("whoami") == "kargah"
    clients("delete", repo_id="kargah/nobodys")


@pytest.mark.parametrize("name", ["datasets/x", "owner/resolve", "api/x"])
def test_names_that_would_be_addresses_are_refused(clients: StockClients, name: str) -> None:
    assert "422" in _message(clients, "create", repo_id=name)


def test_files_come_and_go(clients: StockClients, repo: str) -> None:
    clients("upload", repo_id=repo, path="README.md", content="---\nlicense: mit\ntags: [persian]\n---\n# کارگاه\n")
    info = clients("info", repo_id=repo)
    assert info["card"]["license"] == "mit" and {"persian", "license:mit"} <= set(info["tags"])
    head = clients("commit", repo_id=repo, add={"a/one.txt": "1", "a/b/two.json": "{}", "c.txt": ""})
    assert clients("tree", repo_id=repo) == ["RepoFile README.md", "RepoFolder a", "RepoFile c.txt"]
    assert clients("tree", repo_id=repo, path_in_repo="a") == ["RepoFolder a/b", "RepoFile a/one.txt"]
    assert clients("download", repo_id=repo, filename="a/b/two.json") == "{}"
    assert clients("commit", repo_id=repo, add={"a/one.txt": "1"}) == head  # nothing changed
    clients("commit", repo_id=repo, add={"d.txt": "4"}, remove=["a/"], copy={"c.txt": "e.txt"})
    assert clients("files", repo_id=repo) == ["README.md", "c.txt", "d.txt", "e.txt"]
    clients("delete_file", repo_id=repo, path="c.txt")
    assert clients("files", repo_id=repo, revision=head) == ["README.md", "a/b/two.json", "a/one.txt", "c.txt"]
    clients("upload", repo_id=repo, path="f/g.txt", content="5")
    clients("delete_folder", repo_id=repo, path="f")
    assert clients("files", repo_id=repo) == ["README.md", "d.txt", "e.txt"]
    assert "doesn't exist" in _message(clients, "delete_file", repo_id=repo, path="absent.txt")


def test_a_stale_parent_is_refused(clients: StockClients, repo: str) -> None:
    first = clients("upload", repo_id=repo, path="a.txt", content="1")
    clients("upload", repo_id=repo, path="a.txt", content="2", parent_commit=first)
    assert "412" in _message(clients, "upload", repo_id=repo, path="a.txt", content="3", parent_commit=first)
    assert clients("download", repo_id=repo, filename="a.txt") == "2"


def test_branches_and_tags(clients: StockClients, repo: str) -> None:
    first = clients("upload", repo_id=repo, path="a.txt", content="1")
    clients("create_branch", repo_id=repo, branch="feature/new")
    clients("create_tag", repo_id=repo, tag="v1.0", revision="feature/new")
    clients("upload", repo_id=repo, path="d/a.txt", content="2", revision="feature/new")
    assert clients("download", repo_id=repo, filename="d/a.txt", revision="feature/new") == "2"
    assert clients("tree", repo_id=repo, path_in_repo="d", revision="feature/new") == ["RepoFile d/a.txt"]
    assert clients("files", repo_id=repo) == ["a.txt"] == clients("files", repo_id=repo, revision="v1.0")
    refs = clients("refs", repo_id=repo)
    assert set(refs["branches"]) == {"main", "feature/new"} and refs["tags"] == {"v1.0": first}
    assert "409" in _message(clients, "create_branch", repo_id=repo, branch="feature/new")
    clients("create_branch", repo_id=repo, branch="feature/new", exist_ok=True)
    assert "versions" in _message(clients, "create_tag", repo_id=repo, tag="v7")
    assert "each other's way" in _message(clients, "create_branch", repo_id=repo, branch="feature")
    clients("delete_branch", repo_id=repo, branch="feature/new")
    clients("delete_tag", repo_id=repo, tag="v1.0")
    assert "403" in _message(clients, "delete_branch", repo_id=repo, branch="main")
    assert _kind(clients, "delete_tag", repo_id=repo, tag="v1.0") == "RevisionNotFoundError"
    assert "pull requests" in _message(clients, "commit", repo_id=repo, add={"x.txt": ""}, create_pr=True)


def test_what_can_run_code_is_refused(clients: StockClients, repo: str) -> None:
    for path in ("pytorch_model.bin", "modeling.py", "a/../b.json"):
        with pytest.raises(CallFailed):
            clients("upload", repo_id=repo, path=path, content="x")
    assert "run code" in _message(clients, "upload", repo_id=repo, path="weights.pt", content="x")
    assert clients("files", repo_id=repo) == []


def test_a_large_file_arrives_whole(hub: Hub, clients: StockClients, repo: str) -> None:
    """In parts without Xet; in chunks with it, of which the second file has most already, even when xorbs have gone."""
    data = bytearray(hashlib.shake_256(repo.encode()).digest(2 * PART_BYTES + 7))
    file = clients.folder / "large.json"
    file.write_bytes(data)
    clients("upload", repo_id=repo, path="large.json", file=str(file))
    assert not list(hub.store.list("uploads/"))
    xorbs = [found.key for found in hub.store.list("xorbs/")]
    assert xorbs or not clients.xet
    for key in xorbs:
        hub.store.delete(key)
    data[PART_BYTES : PART_BYTES + 10] = b"0123456789"
    file.write_bytes(data)
    clients("upload", repo_id=repo, path="large.json", file=str(file))
    assert sum(found.size for found in hub.store.list("xorbs/")) < PART_BYTES
    assert clients("download", repo_id=repo, filename="large.json").encode("latin-1") == data
    clients("upload_stream", repo_id=repo, path="again.json", file=str(file))
    assert hub.store.get(f"blobs/{hashlib.sha256(data).hexdigest()}") == data


def _message(clients: StockClients, function: str, **arguments: object) -> str:
    with pytest.raises(CallFailed) as caught:
        clients(function, **arguments)
    return str(caught.value)


def _kind(clients: StockClients, function: str, **arguments: object) -> str:
    with pytest.raises(CallFailed) as caught:
        clients(function, **arguments)
    return caught.value.kind
