"""Blobs come whole, once, and never wrong; model folders appear complete or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import pytest

from kargah.contracts.models import ModelFacts, ModelFile, ModelLocation, ModelVersionView
from kargah.ports.object_store import ObjectMissing, ObjectStat, StoreUnavailable
from worker import fetch
from worker.cache import trim_cache
from worker.fetch import BlobCorrupt, fetch_blob, fetch_model, fetch_with_base


class MemoryStore:
    """The reading half of an object store; `cut_after` bytes it drops the connection, once per entry."""

    bucket = "kargah"

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.reads: list[tuple[str, int]] = []
        self.cuts: list[int] = []

    def put(self, key: str, data: bytes) -> None:
        self.objects[key] = data

    @contextmanager
    def open(self, key: str, *, offset: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        if key not in self.objects:
            raise ObjectMissing(key)
        self.reads.append((key, offset))
        data = self.objects[key][offset:]
        if self.cuts:
            yield CutStream(data[: self.cuts.pop(0)])
        else:
            yield io.BytesIO(data)

    def put_stream(self, key: str, stream: BinaryIO, *, part_size: int = 16 << 20) -> int:
        self.objects[key] = stream.read()
        return len(self.objects[key])

    def put_file(self, key: str, path: Path) -> None:
        self.objects[key] = path.read_bytes()

    def get(self, key: str) -> bytes:
        return self.objects[key]

    def get_file(self, key: str, path: Path) -> None:
        path.write_bytes(self.objects[key])

    def stat(self, key: str) -> ObjectStat:
        return ObjectStat(key, len(self.objects[key]), "", datetime.now(UTC))

    def list(self, prefix: str) -> Iterator[ObjectStat]:
        return (self.stat(key) for key in self.objects if key.startswith(prefix))

    def copy(self, source: str, target: str) -> None:
        self.objects[target] = self.objects[source]

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def presign_get(self, key: str, expires: timedelta) -> str:
        return key

    def check(self) -> None:
        return None


class CutStream(io.BytesIO):
    """Ends with a dropped connection."""

    def read(self, size: int | None = -1, /) -> bytes:
        if chunk := super().read(size):
            return chunk
        raise StoreUnavailable("connection reset")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def put_blob(store: MemoryStore, data: bytes) -> str:
    store.put(f"blobs/{sha(data)}", data)
    return sha(data)


def location(files: dict[str, bytes], base: ModelLocation | None = None) -> ModelLocation:
    entries = [ModelFile(path=path, size_bytes=len(data), sha256=sha(data)) for path, data in files.items()]
    version = ModelVersionView(
        id="mv_1",
        model="m",
        version=1,
        files=entries,
        facts=ModelFacts(kind="other"),
        size_bytes=sum(map(len, files.values())),
        source="test",
        created_at=datetime.now(UTC),
    )
    return ModelLocation(version=version, bucket="kargah", prefix="blobs/", base=base)


def test_a_blob_is_downloaded_once(store: MemoryStore, tmp_path: Path) -> None:
    digest = put_blob(store, b"weights")
    first = fetch_blob(store, digest, 7, tmp_path)
    assert first.read_bytes() == b"weights"
    assert first.stat().st_mode & 0o222 == 0
    assert fetch_blob(store, digest, 7, tmp_path) == first
    assert len(store.reads) == 1
    assert not list(tmp_path.rglob("*.part"))


def test_wrong_bytes_are_refused_and_leave_nothing(store: MemoryStore, tmp_path: Path) -> None:
    digest = sha(b"right!!")
    store.put(f"blobs/{digest}", b"wrong!!")
    with pytest.raises(BlobCorrupt, match=digest):
        fetch_blob(store, digest, 7, tmp_path)
    store.put(f"blobs/{digest}", b"right!!")
    assert fetch_blob(store, digest, 7, tmp_path).read_bytes() == b"right!!"


def test_a_cached_blob_that_was_written_to_is_fetched_again(store: MemoryStore, tmp_path: Path) -> None:
    digest = put_blob(store, b"weights")
    blob = fetch_blob(store, digest, 7, tmp_path)
    blob.chmod(0o644)
    blob.write_bytes(b"WEIGHTS")
    assert fetch_blob(store, digest, 7, tmp_path).read_bytes() == b"weights"


def test_a_cached_blob_that_was_only_touched_is_kept(store: MemoryStore, tmp_path: Path) -> None:
    digest = put_blob(store, b"weights")
    fetch_blob(store, digest, 7, tmp_path).touch()
    fetch_blob(store, digest, 7, tmp_path)
    assert len(store.reads) == 1


def test_a_cut_download_goes_on_where_it_ended(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_PAUSES", (0.0, 0.0))
    data = bytes(range(256)) * 100
    digest = put_blob(store, data)
    store.cuts = [1000, 500]
    assert fetch_blob(store, digest, len(data), tmp_path).read_bytes() == data
    assert [offset for _, offset in store.reads] == [0, 1000, 1500]


def test_an_aborted_download_is_resumed_by_the_next_call(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_CHUNK", 100)
    data = b"x" * 1000
    digest = put_blob(store, data)
    heard: list[int] = []

    def abort_at_300(count: int) -> None:
        heard.append(count)
        if sum(heard) >= 300:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fetch_blob(store, digest, 1000, tmp_path, on_bytes=abort_at_300)
    assert fetch_blob(store, digest, 1000, tmp_path).read_bytes() == data
    assert store.reads[-1][1] == 300


def test_a_short_object_is_an_error_not_a_model(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_PAUSES", (0.0,))
    digest = sha(b"longer than this")
    store.put(f"blobs/{digest}", b"longer")
    with pytest.raises(StoreUnavailable, match="6 of 16"):
        fetch_blob(store, digest, 16, tmp_path)


def test_many_threads_download_one_blob_once(store: MemoryStore, tmp_path: Path) -> None:
    data = b"y" * 3_000_000
    digest = put_blob(store, data)
    got: list[Path] = []
    threads = [
        threading.Thread(target=lambda: got.append(fetch_blob(store, digest, len(data), tmp_path))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8 and len(store.reads) == 1
    assert not list(tmp_path.rglob("*.part"))


def test_a_model_folder_shares_its_bytes_with_the_cache(store: MemoryStore, tmp_path: Path) -> None:
    files = {"config.json": b"{}", "sub/model.safetensors": b"abc", "empty": b""}
    for data in files.values():
        put_blob(store, data)
    folder = fetch_model(location(files), store, tmp_path, tmp_path / "job" / "model")
    assert {path: (folder / path).read_bytes() for path in files} == files
    blob = tmp_path / "blobs" / sha(b"abc")[:2] / sha(b"abc")
    assert blob.samefile(folder / "sub/model.safetensors")
    assert [path.name for path in (tmp_path / "job").iterdir()] == ["model"]


def test_a_missing_blob_leaves_no_folder(store: MemoryStore, tmp_path: Path) -> None:
    put_blob(store, b"{}")
    with pytest.raises(ObjectMissing):
        fetch_model(location({"config.json": b"{}", "w": b"gone"}), store, tmp_path, tmp_path / "m" / "x")
    assert list((tmp_path / "m").iterdir()) == []


def test_a_damaged_folder_is_laid_out_again(store: MemoryStore, tmp_path: Path) -> None:
    put_blob(store, b"{}")
    folder = fetch_model(location({"config.json": b"{}"}), store, tmp_path, tmp_path / "m")
    (folder / "config.json").unlink()
    assert fetch_model(location({"config.json": b"{}"}), store, tmp_path, folder) == folder
    assert (folder / "config.json").read_bytes() == b"{}"


@pytest.mark.parametrize("path", ["../evil", "/etc/evil", "a/../../evil", "a\\..\\evil", "a\x00b"])
def test_a_path_never_leaves_the_folder(store: MemoryStore, tmp_path: Path, path: str) -> None:
    put_blob(store, b"x")
    with pytest.raises(ValueError, match="file path"):
        fetch_model(location({path: b"x"}), store, tmp_path, tmp_path / "m" / "x")
    assert not list(tmp_path.rglob("evil"))


def test_an_adapter_brings_its_base(store: MemoryStore, tmp_path: Path) -> None:
    put_blob(store, b"base")
    put_blob(store, b"adapter")
    fetched = fetch_with_base(
        location({"a": b"adapter"}, base=location({"b": b"base"})), store, tmp_path, tmp_path / "run"
    )
    assert (fetched.model_dir / "a").read_bytes() == b"adapter"
    assert fetched.base_dir is not None and (fetched.base_dir / "b").read_bytes() == b"base"


def test_trimming_spares_what_is_in_use_and_what_is_recent(store: MemoryStore, tmp_path: Path) -> None:
    old, used, recent = b"o" * 100, b"u" * 100, b"r" * 100
    for data in (used, old, recent):
        fetch_blob(store, put_blob(store, data), 100, tmp_path)
    fetch_model(location({"w": used}), store, tmp_path, tmp_path / "m")
    assert trim_cache(tmp_path, 250) == 1
    reads = len(store.reads)
    fetch_blob(store, sha(recent), 100, tmp_path)
    fetch_blob(store, sha(used), 100, tmp_path)
    assert len(store.reads) == reads
    fetch_blob(store, sha(old), 100, tmp_path)
    assert len(store.reads) == reads + 1


def test_everything_in_the_cache_counts_and_what_is_under_way_stays(tmp_path: Path) -> None:
    for number, name in enumerate(["tokens/a.safetensors", "hub/c/b.part", "hub/c/old.part", "blobs/aa/aa.part"]):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(100))
        age = 3 * 24 * 3600 if "old" in name else 60 * (10 - number)
        os.utime(path, (time.time() - age, time.time() - age))
    assert trim_cache(tmp_path, 200) == 2
    assert {path.name for path in tmp_path.rglob("*.*")} == {"b.part", "aa.part"}
