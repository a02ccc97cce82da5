"""A model pushed to a real hub: the registry of another platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, snapshot_download

from kargah.adapters.minio_store import MinioStore
from kargah.contracts.runs import OutputMessage, RunSpec
from kargah.domain.kinds import Kind
from kargah.testing.fixtures import DatabaseUrlFor
from kargah.testing.serving import served
from registry.testing.bench import model_files, registry_bench
from registry.upstream.client import UpstreamClient
from registry.upstream.service import UpstreamService
from worker.installs.folder import describe_folder
from worker.installs.hub import install_hub
from worker.testing.notes import Notes
from worker.trainer.main import execute
from worker.trainer.testing import MemoryContext


@pytest.fixture
def endpoint(database_url_for: DatabaseUrlFor, object_store: MinioStore) -> Iterator[str]:
    with (
        registry_bench(database_url_for("registry"), object_store, hub_redirect=False) as bench,
        served(bench.registry.app) as url,
    ):
        yield f"{url}/hub"


def push(endpoint: str, tmp_path: Path, files: dict[str, bytes], revision: str = "main") -> dict[str, object]:
    """The job's result."""
    folder = tmp_path / "model"
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    params = {"repository": "team/tiny", "endpoint": endpoint, "revision": revision, "private": False}
    spec = RunSpec(
        job_id="job", generation=1, kind=Kind.PUSH, recipe="push", params=params, model_dir=str(folder),
        work_dir=str(tmp_path / "work"), cache_dir=str(tmp_path / "cache"), facts={"model": "tiny", "model_version": 3},
    )  # fmt: skip
    context = MemoryContext(spec)
    assert execute(context) == 0, context.messages
    return context.sent(OutputMessage)[0].metrics


def test_a_pushed_model_lies_there_byte_by_byte(endpoint: str, tmp_path: Path) -> None:
    files = model_files(card="---\nlicense: mit\n---\n# کارت")
    found = push(endpoint, tmp_path, files)
    assert (found["repository"], found["endpoint"], found["files"]) == ("team/tiny", endpoint, len(files))
    fetched = snapshot_download("team/tiny", endpoint=endpoint, local_dir=tmp_path / "fetched")
    for name, data in files.items():
        assert (Path(fetched) / name).read_bytes() == data
    latest = HfApi(endpoint=endpoint).list_repo_commits("team/tiny")[0]
    assert (latest.commit_id, latest.title) == (found["commit"], "tiny version 3, from Kargah")
    assert push(endpoint, tmp_path, files)["commit"] == found["commit"], "what is there is not sent again"


def test_another_platform_finds_and_installs_it(endpoint: str, tmp_path: Path) -> None:
    pushed = push(endpoint, tmp_path, model_files(card="---\nlicense: mit\n---\n# کارت"))
    client = UpstreamClient(endpoint, None)
    upstream = UpstreamService(lambda: client)
    assert [(found.id, found.license) for found in upstream.search("tiny", 10).items] == [("team/tiny", "mit")]
    judged = upstream.model("team/tiny", None)
    assert judged.safe and judged.commit == pushed["commit"] and judged.license == "mit"
    assert judged.download_bytes == sum(map(len, model_files(card="---\nlicense: mit\n---\n# کارت").values()))
    commit = install_hub("team/tiny", None, tmp_path / "cache", tmp_path / "installed", Notes(), endpoint=endpoint)
    assert commit == pushed["commit"]
    assert {file.path for file in describe_folder(tmp_path / "installed")} == set(model_files())


def test_a_branch_of_its_own(endpoint: str, tmp_path: Path) -> None:
    first = push(endpoint, tmp_path, model_files())
    other = push(endpoint, tmp_path, model_files(5), revision="candidate")
    assert other["commit"] != first["commit"]
    refs = HfApi(endpoint=endpoint).list_repo_refs("team/tiny")
    assert {branch.name: branch.target_commit for branch in refs.branches} == {
        "main": first["commit"],
        "candidate": other["commit"],
    }
