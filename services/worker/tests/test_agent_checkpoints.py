"""Checkpoints are visible only when whole, and a damaged one never comes back as a good one."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from prometheus_client import CollectorRegistry

from kargah.adapters.folder_store import FolderStore
from kargah.contracts.runs import CheckpointMessage, FileEntry
from kargah.domain.errors import StaleAttempt
from kargah.jobstore.values import StoredCheckpoint
from kargah.ports.object_store import ObjectStat, StoreUnavailable
from worker.agent import checkpoints
from worker.agent.background import Aborted, Background
from worker.agent.checkpoints import CheckpointNotStored, CheckpointStorage
from worker.agent.manifest import checkpoint_prefix, checkpoints_root
from worker.agent.metrics import AgentMetrics
from worker.agent.restore import Restore
from worker.agent.retention import kept
from worker.testing.memory_ledger import MemoryLedger

JOB = "job_1"
FILES = {"state.json": b"{}", "weights/model.safetensors": b"w" * 5000}


class FickleStore(FolderStore):
    """Fails the next uploads, or stores other bytes than it was given."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.failures = 0
        self.flips = 0

    def put_stream(self, key: str, stream: BinaryIO, *, part_size: int = 1 << 20) -> int:
        if self.failures > 0:
            self.failures -= 1
            raise StoreUnavailable("503")
        size = super().put_stream(key, stream, part_size=part_size)
        if self.flips > 0 and not key.endswith("manifest.json"):
            self.flips -= 1
            flip(self, key)
        return size


class OpaqueStore(FolderStore):
    """Its tags say nothing about the bytes, as with multipart uploads or encryption."""

    def stat(self, key: str) -> ObjectStat:
        found = super().stat(key)
        return ObjectStat(key, found.size, "0123456789abcdef-2", found.modified_at)


class Site:
    """One attempt's checkpoints, stored through a background thread."""

    def __init__(self, store: FolderStore, folder: Path, generation: int = 1) -> None:
        self.store = store
        self.folder = folder
        self.ledger = MemoryLedger(generation, JOB)
        self.background = Background(lambda: None)
        self.storage = CheckpointStorage(
            JOB, generation, store, self.ledger, self.background, AgentMetrics(CollectorRegistry())
        )

    def message(self, step: int, reason: Any = "interval", **metrics: float) -> CheckpointMessage:
        folder = self.folder / f"step-{step}"
        entries = []
        for path, data in FILES.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
            entries.append(FileEntry(path=path, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))
        return CheckpointMessage(
            directory=str(folder), step=step, epoch=1.0, reason=reason, files=entries, metrics=metrics
        )

    def save(self, step: int, reason: Any = "interval", **metrics: float) -> bool:
        return self.storage.submit(self.message(step, reason, **metrics), None).result(20)

    def restore(self) -> Restore:
        return Restore(JOB, self.store, self.ledger, self.background)

    def prefixes(self) -> set[str]:
        root = checkpoints_root(JOB)
        return {stat.key.removeprefix(root).split("/")[0] for stat in self.store.list(root)}


def flip(store: FolderStore, key: str) -> None:
    data = bytearray(store.get(key))
    data[len(data) // 2] ^= 1
    FolderStore.put_stream(store, key, io.BytesIO(bytes(data)))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "_PAUSES", (0.0, 0.0))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(FickleStore(tmp_path / "store"), tmp_path)
    yield site
    site.background.close(5)


def fickle(site: Site) -> FickleStore:
    assert isinstance(site.store, FickleStore)
    return site.store


def test_a_checkpoint_comes_back_as_it_was(site: Site, tmp_path: Path) -> None:
    assert site.save(10)
    restored = site.restore().newest_good(tmp_path / "resume")
    assert restored.step == 10 and restored.directory is not None and restored.broken == []
    assert {path: (restored.directory / path).read_bytes() for path in FILES} == FILES
    assert not (tmp_path / "step-10").exists(), "the local copy is gone once it is stored"


def test_no_checkpoint_is_a_start_from_scratch(site: Site, tmp_path: Path) -> None:
    restored = site.restore().newest_good(tmp_path / "resume")
    assert (restored.directory, restored.step) == (None, 0)


@pytest.mark.parametrize("damage", ["flip", "cut", "delete", "manifest gone", "manifest torn", "swapped"])
def test_damage_is_found_named_and_passed_over(site: Site, tmp_path: Path, damage: str) -> None:
    site.save(10)
    site.save(20)
    prefix, other = checkpoint_prefix(JOB, 20, 1), checkpoint_prefix(JOB, 10, 1)
    key, manifest = prefix + "weights/model.safetensors", prefix + "manifest.json"
    match damage:
        case "flip":
            flip(site.store, key)
        case "cut":
            site.store.put(key, site.store.get(key)[:-1])
        case "delete":
            site.store.delete(key)
        case "manifest gone":
            site.store.delete(manifest)
        case "manifest torn":
            site.store.put(manifest, site.store.get(manifest)[:-9])
        case "swapped":
            site.store.put(manifest, site.store.get(other + "manifest.json"))
    restored = site.restore().newest_good(tmp_path / "resume")
    assert restored.step == 10
    ((checkpoint, problem),) = restored.broken
    assert checkpoint.step == 20
    assert problem.file == ("manifest.json" if damage in ("manifest gone", "manifest torn", "swapped") else key[-25:])
    assert [identity for identity, _reason in site.ledger.dropped] == ["ckpt_20_1"]


def test_a_manifest_cannot_lead_out_of_the_folder(site: Site, tmp_path: Path) -> None:
    site.save(10)
    key = checkpoint_prefix(JOB, 10, 1) + "manifest.json"
    site.store.put(key, site.store.get(key).replace(b"state.json", b"../../evil"))
    restored = site.restore().newest_good(tmp_path / "resume")
    assert restored.directory is None and not (tmp_path / "evil").exists()


def test_a_store_that_is_away_for_a_moment_is_tried_again(site: Site) -> None:
    fickle(site).failures = 2
    assert site.save(10)
    assert [one.step for one in site.ledger.checkpoints] == [10]


def test_a_store_that_stays_away_leaves_the_old_checkpoint_current(site: Site, tmp_path: Path) -> None:
    site.save(10)
    fickle(site).failures = 1000
    with pytest.raises(CheckpointNotStored):
        site.save(20)
    assert [one.step for one in site.ledger.checkpoints] == [10]
    fickle(site).failures = 0
    assert site.restore().newest_good(tmp_path / "resume").step == 10


def test_bytes_that_arrive_wrong_are_sent_again_and_never_made_visible(site: Site, tmp_path: Path) -> None:
    fickle(site).flips = 1
    assert site.save(10)
    fickle(site).flips = 1000
    with pytest.raises(CheckpointNotStored, match="sha256"):
        site.save(20)
    assert site.restore().newest_good(tmp_path / "resume").step == 10


def test_where_tags_say_nothing_the_bytes_are_read_back(tmp_path: Path) -> None:
    site = Site(OpaqueStore(tmp_path / "store"), tmp_path)
    assert site.save(10)
    site.background.close(5)


def test_a_file_that_changed_on_disk_is_refused(site: Site) -> None:
    message = site.message(10)
    (Path(message.directory) / "state.json").write_bytes(b"[]")
    with pytest.raises(CheckpointNotStored, match=r"state\.json"):
        site.storage.submit(message, None).result(20)
    assert site.ledger.checkpoints == []


def test_a_path_out_of_the_folder_is_refused(site: Site, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"")
    entry = FileEntry(path="../secret", size_bytes=0, sha256=hashlib.sha256(b"").hexdigest())
    message = site.message(10).model_copy(update={"files": [entry]})
    with pytest.raises(CheckpointNotStored):
        site.storage.submit(message, None).result(20)
    assert site.prefixes() == set()


def test_a_stale_attempt_leaves_no_objects_behind(site: Site) -> None:
    site.ledger.stale = True
    with pytest.raises(StaleAttempt):
        site.save(10)
    assert site.prefixes() == set()


def test_an_aborted_upload_leaves_no_objects_behind(site: Site) -> None:
    message = site.message(10)
    site.background.abort()
    with pytest.raises(Aborted):
        site.storage.submit(message, None).result(20)
    assert site.prefixes() == set()


def test_uploads_that_lag_behind_are_skipped_but_not_the_wanted_ones(site: Site) -> None:
    hold = site.background.submit(lambda: site.background.pause(0.3))
    futures = [
        site.storage.submit(site.message(step, reason), serves)
        for step, reason, serves in [
            (1, "interval", None),
            (2, "requested", 7),
            (3, "interval", None),
            (4, "epoch", None),
        ]
    ]
    hold.result(5)
    assert [future.result(20) for future in futures] == [False, True, False, True]
    assert site.ledger.served == [7, None]
    assert not (site.folder / "step-1").exists(), "skipped ones do not fill the disk"


def test_the_same_step_again_only_changes_its_reason(site: Site) -> None:
    site.save(10)
    fickle(site).failures = 1000
    assert site.save(10, "pause")
    assert [(one.step, one.reason) for one in site.ledger.checkpoints] == [(10, "pause")]


def test_old_ones_go_with_their_objects(site: Site) -> None:
    for step, loss in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 2.5), (5, 2.6)):
        site.save(step, "requested" if step == 1 else "interval", eval_loss=loss)
    assert sorted(one.step for one in site.ledger.checkpoints) == [1, 2, 4, 5]
    assert site.prefixes() == {f"{step:09d}-1" for step in (1, 2, 4, 5)}


def test_torn_uploads_of_earlier_attempts_are_swept_but_not_a_later_ones(tmp_path: Path) -> None:
    site = Site(FickleStore(tmp_path / "store"), tmp_path, generation=2)
    for generation in (1, 3):
        site.store.put(checkpoint_prefix(JOB, 7, generation) + "state.json", b"torn")
    site.store.put(checkpoints_root(JOB) + "strange/file", b"?")
    site.save(9)
    site.background.close(5)
    assert site.prefixes() == {"000000009-2", "000000007-3", "strange"}


def _stored(step: int, *, pinned: bool = False, **metrics: float) -> StoredCheckpoint:
    return StoredCheckpoint(str(step), JOB, step, 0.0, 1, f"p{step}/", "interval", 1, metrics, pinned)


def test_which_stay() -> None:
    rows = [_stored(9), _stored(8), _stored(7, eval_loss=0.5), _stored(6, eval_loss=0.4), _stored(5, pinned=True)]
    assert kept(rows) == {"9", "8", "6", "5"}
    assert kept(rows[:1]) == {"9"}
    assert kept([]) == set()
