"""What the agent stands on: settings, folders, peers, trainers' starts, recipes, the health server."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from kargah.adapters.folder_store import FolderStore
from kargah.contracts.jobs import ModelRef
from kargah.contracts.models import ModelFile, ModelLocation, ModelVersionCreate
from kargah.contracts.runs import FileEntry, RunSpec
from kargah.domain.errors import Unavailable
from kargah.domain.kinds import KIND_NAMES
from worker.agent import peers as peers_module
from worker.agent.background import Aborted, Background
from worker.agent.child_env import install_env, trainer_env, zygote_env
from worker.agent.config import AgentSettings
from worker.agent.health import HealthServer
from worker.agent.inputs import model_lineage
from worker.agent.launcher import Launcher
from worker.agent.metrics import AgentMetrics
from worker.agent.peers import Peers
from worker.agent.recipes import RecipesUnknown, describe
from worker.agent.refusals import PeerRefused
from worker.agent.work_folder import sweep, work_folder
from worker.agent.zygote_client import ZygoteChild
from worker.testing.peer_server import PeerTwin, peer_server
from worker.testing.processes import ENTRY, PRELOAD, command, poll

NEEDED = {"database_url": "postgresql://u:p@h/d", "registry_url": "http://r", "datasets_url": "http://d"}
DATA = b"weights"
SHA256 = hashlib.sha256(DATA).hexdigest()


def settings(**given: Any) -> AgentSettings:
    return AgentSettings(**{**NEEDED, **given})


def test_kinds_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings().kinds == KIND_NAMES
    monkeypatch.setenv("KARGAH_KINDS", "train, install,")
    assert settings().kinds == ("train", "install")
    monkeypatch.setenv("KARGAH_KINDS", "train, dance")
    with pytest.raises(ValidationError, match="no such kind of job: dance"):
        settings()


def test_an_open_network_needs_people_to_log_in() -> None:
    with pytest.raises(ValidationError, match="KARGAH_AUTH=on"):
        settings(host="0.0.0.0")
    assert settings(host="0.0.0.0", auth="on", jwt_secret="0f9b1d7c5a3e8246" * 4).host == "0.0.0.0"


def test_the_databases_password_is_not_in_the_settings_text() -> None:
    assert "u:p@" not in repr(settings())


def test_a_work_folder_is_fresh_and_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "job-1").mkdir()
    (tmp_path / "job-1" / "old").touch()
    with work_folder(tmp_path, "job-1") as folder:
        assert not (folder / "old").exists()
        (folder / "new").touch()
    assert not folder.exists()


def test_only_abandoned_folders_are_swept(tmp_path: Path) -> None:
    (tmp_path / "abandoned").mkdir()
    with work_folder(tmp_path, "held") as held:
        assert sweep(tmp_path) == 1
        assert held.exists() and not (tmp_path / "abandoned").exists()
    assert sweep(tmp_path / "absent") == 0


@pytest.fixture
def twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PeerTwin, Peers]]:
    monkeypatch.setattr(peers_module, "_PAUSES", (0.0, 0.0))
    with peer_server(FolderStore(tmp_path / "store")) as (twin, url):
        peers = Peers.connect(url + "/", url)
        yield twin, peers
        peers.client.close()


def blob(tmp_path: Path) -> FileEntry:
    (tmp_path / "model.safetensors").write_bytes(DATA)
    return FileEntry(path="model.safetensors", size_bytes=len(DATA), sha256=SHA256)


def test_a_blob_is_sent_once(twin: tuple[PeerTwin, Peers], tmp_path: Path) -> None:
    sent: list[int] = []
    for _ in range(2):
        twin[1].put_blob(tmp_path, blob(tmp_path), sent.append)
    assert sent == [len(DATA)] and twin[0].store.get(f"blobs/{SHA256}") == DATA


def test_a_blob_that_is_not_what_was_announced_is_refused(twin: tuple[PeerTwin, Peers], tmp_path: Path) -> None:
    entry = blob(tmp_path).model_copy(update={"sha256": "0" * 64})
    with pytest.raises(PeerRefused, match="other bytes"):
        twin[1].put_blob(tmp_path, entry, lambda _count: None)


def test_sending_can_be_aborted(twin: tuple[PeerTwin, Peers], tmp_path: Path) -> None:
    background = Background(lambda: None)
    background.abort()
    with pytest.raises(Aborted):
        twin[1].put_blob(tmp_path, blob(tmp_path), background.check)
    background.close(5)


def test_a_version_is_made_once_per_key(twin: tuple[PeerTwin, Peers], tmp_path: Path) -> None:
    entry = blob(tmp_path)
    twin[1].put_blob(tmp_path, entry, lambda _count: None)
    file = ModelFile(path=entry.path, size_bytes=entry.size_bytes, sha256=entry.sha256)
    new = ModelVersionCreate(files=[file], source="job:1", idempotency_key="job_1")
    first, again = (twin[1].commit_version("owner/tuned", new) for _ in range(2))
    assert first == again and [version.model for version in twin[0].committed] == ["owner/tuned"]


def test_a_refusal_names_what_is_wrong(twin: tuple[PeerTwin, Peers]) -> None:
    file = ModelFile(path="model.safetensors", size_bytes=1, sha256="0" * 64)
    with pytest.raises(PeerRefused, match=r"no such blob files\.model\.safetensors"):
        twin[1].commit_version("tuned", ModelVersionCreate(files=[file], source="job:1"))


def test_a_short_outage_of_a_peer_is_waited_out_a_long_one_is_not(twin: tuple[PeerTwin, Peers]) -> None:
    ref = twin[0].add_model("base", {"config.json": b"{}"})
    twin[0].failures = 2
    assert twin[1].model_location(ref).version.model == "base"
    twin[0].failures = 100
    with pytest.raises(Unavailable):
        twin[1].model_location(ref)


def test_an_absent_model_is_refused_with_the_peers_words(twin: tuple[PeerTwin, Peers]) -> None:
    with pytest.raises(PeerRefused, match="no such thing") as refused:
        twin[1].model_location(ModelRef(name="absent", version=1, version_id="x"))
    assert refused.value.status == 404


def launcher(tmp_path: Path, preload: str = PRELOAD) -> Launcher:
    env = dict(os.environ)
    return Launcher(
        zygote_command=command(zygote_env(env, tmp_path), tmp_path, preload=preload),
        entry=ENTRY,
        train_env=trainer_env(env, tmp_path, 1),
        install_env=install_env(env, tmp_path, 1),
        metrics=AgentMetrics(CollectorRegistry()),
    )


def run_once(launcher: Launcher, folder: Path, number: int) -> bool:
    """Whether the trainer was forked from a zygote; it must run to its end."""
    work = folder / str(number)
    work.mkdir()
    params = {"script": "exit", "code": 7}
    spec = RunSpec(
        job_id="job", generation=number, recipe="r", params=params, work_dir=str(work), cache_dir=str(folder)
    )
    trainer = launcher.start(spec, work)
    assert poll(trainer.child.poll, "the exit") == 7
    trainer.child.release()
    os.close(trainer.messages_fd)
    os.close(trainer.control_fd)
    return isinstance(trainer.child, ZygoteChild)


def test_a_dead_zygote_is_replaced(tmp_path: Path) -> None:
    warm = launcher(tmp_path)
    assert run_once(warm, tmp_path, 1)
    zygote = warm._zygote
    assert zygote is not None
    os.kill(zygote.process.pid, signal.SIGKILL)
    poll(lambda: zygote.failure, "the news")
    assert run_once(warm, tmp_path, 2)
    warm.close()


def test_without_a_fit_zygote_trainers_start_cold(tmp_path: Path) -> None:
    cold = launcher(tmp_path, preload="worker.testing.scripted_trainer:failing_preload")
    assert not run_once(cold, tmp_path, 1)
    assert not run_once(cold, tmp_path, 2)
    cold.close()


def test_recipes_are_what_the_describing_process_prints() -> None:
    (recipe,) = describe("worker.testing.describe", os.environ)
    assert recipe.name == "scripted" and recipe.params_schema == {"type": "object"}


def test_a_describing_process_that_fails_is_told_with_its_words() -> None:
    with pytest.raises(RecipesUnknown, match="No module named"):
        describe("worker.testing.absent", os.environ)


def test_readiness_names_what_is_away() -> None:
    def away() -> None:
        raise ConnectionError("secret host name")

    server = HealthServer("127.0.0.1", 0, {"database": lambda: None, "store": away}, CollectorRegistry())
    server.start()
    try:
        answer = httpx.get(f"http://127.0.0.1:{server.port}/readyz", trust_env=False)
    finally:
        server.close()
    assert answer.status_code == 503
    assert answer.json()["checks"] == {"database": "ok", "store": "ConnectionError"}


def test_training_an_adapter_further_keeps_its_base(tmp_path: Path) -> None:
    with peer_server(FolderStore(tmp_path / "store")) as (twin, _url):
        twin.add_model("base", {"config.json": b"{}"})
        twin.add_model("adapter", {"adapter_config.json": b"{}"})
    base, adapter = (
        ModelLocation.model_validate_json(twin.locations[f"/api/models/{name}/location?version=1"])
        for name in ("base", "adapter")
    )
    assert model_lineage(base)["base_version_id"] == base.version.id
    further = model_lineage(adapter.model_copy(update={"base": base}))
    assert (further["base_version_id"], further["parent_version_id"]) == (base.version.id, adapter.version.id)
