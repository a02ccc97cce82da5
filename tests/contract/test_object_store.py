"""One contract, two stores: the folder of the unit tests, and the minio client against a real S3 server."""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import httpx
import pytest

from kargah.adapters.folder_store import FolderStore
from kargah.adapters.minio_store import MinioStore
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.ports.object_store import ObjectMissing, ObjectStore, StoreUnavailable
from kargah.testing.fixtures import store_in

PART = 5 << 20


@pytest.fixture(params=["folder", "minio"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    found: MinioStore = request.getfixturevalue("object_store")
    return found


class _Breaking(io.RawIOBase):
    """Gives `good` bytes, then fails as a client that went away would."""

    def __init__(self, good: int) -> None:
        super().__init__()
        self._left = good

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._left <= 0:
            raise ConnectionError("the sender went away")
        count = min(self._left, len(buffer))
        self._left -= count
        buffer[:count] = b"x" * count
        return count


def _stream(data: bytes) -> BinaryIO:
    return io.BytesIO(data)


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART + 7])
def test_streams_of_any_length_come_back(store: ObjectStore, size: int) -> None:
    data = hashlib.shake_128(b"seed").digest(size)
    assert store.put_stream("some/key", _stream(data), part_size=PART) == size
    assert store.get("some/key") == data
    assert store.stat("some/key").size == size


def test_put_replaces(store: ObjectStore) -> None:
    store.put("key", b"one")
    before = store.stat("key")
    store.put("key", b"three")
    after = store.stat("key")
    assert store.get("key") == b"three"
    assert (before.size, after.size) == (3, 5)
    assert before.etag != after.etag
    assert abs(datetime.now(UTC) - after.modified_at) < timedelta(minutes=1)


def test_files_travel_both_ways(store: ObjectStore, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "folder" / "out"
    source.write_bytes(b"line\n" * 300_000)
    store.put_file("file", source)
    store.get_file("file", target)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [(0, None, b"0123456789"), (3, 4, b"3456"), (8, 100, b"89"), (10, None, b""), (99, 5, b""), (4, 0, b"")],
)
def test_ranges(store: ObjectStore, offset: int, length: int | None, expected: bytes) -> None:
    store.put("digits", b"0123456789")
    with store.open("digits", offset=offset, length=length) as stream:
        assert stream.read() == expected


def test_a_stream_may_be_left_half_read(store: ObjectStore) -> None:
    store.put("large", b"z" * (3 << 20))
    for _ in range(40):  # more often than the pool has connections
        with store.open("large") as stream:
            assert stream.read(10) == b"z" * 10


@pytest.mark.parametrize("prefix", ["", "a/", "a/b", "nothing/"])
def test_listing_is_by_prefix(store: ObjectStore, prefix: str) -> None:
    keys = ["a/b", "a/b/c", "a/bc", "b", "ü/ی.txt", ".hidden", "a b+c%20"]
    for key in keys:
        store.put(key, key.encode())
    found = list(store.list(prefix))
    assert sorted(one.key for one in found) == sorted(key for key in keys if key.startswith(prefix))
    assert all(one.size == len(one.key.encode()) for one in found)


def test_odd_keys_come_back(store: ObjectStore) -> None:
    for key in ("ü/ی.txt", "a b+c%20", "q?x=1&y#z", "dots/..hidden", "x" * 180):
        store.put(key, key.encode())
        assert store.get(key) == key.encode()


def test_copies_inside_the_store(store: ObjectStore) -> None:
    store.put("from", b"content")
    store.copy("from", "to/there")
    assert store.get("to/there") == store.get("from") == b"content"


def test_absent_keys(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing):
        store.get("absent")
    with pytest.raises(ObjectMissing):
        store.stat("absent")
    with pytest.raises(ObjectMissing):
        store.copy("absent", "target")
    with pytest.raises(ObjectMissing), store.open("absent"):
        pass
    with pytest.raises(ObjectMissing):
        store.get_file("absent", tmp_path / "file")
    assert list(tmp_path.glob("file*")) == []


def test_deleting_twice_is_no_error(store: ObjectStore) -> None:
    store.put("key", b"x")
    store.delete("key")
    store.delete("key")
    assert list(store.list("")) == []


@pytest.mark.parametrize("good", [0, 100, PART + 100])
def test_a_failing_stream_leaves_nothing(store: ObjectStore, good: int) -> None:
    with pytest.raises(ConnectionError):
        store.put_stream("partial", io.BufferedReader(_Breaking(good)), part_size=PART)
    with pytest.raises(ObjectMissing):
        store.stat("partial")
    assert list(store.list("")) == []


def test_a_failing_stream_keeps_what_was_there(store: ObjectStore) -> None:
    store.put("key", b"old")
    with pytest.raises(ConnectionError):
        store.put_stream("key", io.BufferedReader(_Breaking(PART + 1)), part_size=PART)
    assert store.get("key") == b"old"


def test_many_threads_share_a_store(store: ObjectStore) -> None:
    def work(number: int) -> None:
        store.put(f"t/{number}", bytes([number]) * 1000)
        assert store.get(f"t/{number}") == bytes([number]) * 1000

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.list("t/"))) == 16


def test_check_passes(store: ObjectStore) -> None:
    store.check()


class TestS3Only:
    """What a folder cannot show."""

    @pytest.fixture
    def own_server(self, tmp_path: Path) -> Iterator[EmbeddedObjectStore]:
        with EmbeddedObjectStore(tmp_path / "server") as server:
            yield server

    def test_large_objects_are_copied_in_parts(self, object_store: MinioStore, monkeypatch: pytest.MonkeyPatch) -> None:
        data = hashlib.shake_128(b"large").digest(2 * PART + 7)
        object_store.put_stream("from", _stream(data), part_size=PART)
        monkeypatch.setattr(object_store, "copied_at_once", PART)
        object_store.copy("from", "to")
        assert object_store.get("to") == data
        assert object_store.stat("to").etag.endswith("-3")
        assert list(object_store.multiparts("")) == []

    def test_a_presigned_url_needs_no_key(self, object_store: MinioStore) -> None:
        object_store.put("shared", b"for a while")
        url = object_store.presign_get("shared", timedelta(minutes=5))
        assert httpx.get(url).content == b"for a while"
        assert httpx.get(url.replace("shared", "other")).status_code in (403, 404)
        assert httpx.get(url.partition("?")[0]).status_code == 403

    def test_presigned_urls_are_short_lived(self, object_store: MinioStore) -> None:
        with pytest.raises(ValueError, match="15 minutes"):
            object_store.presign_get("shared", timedelta(hours=1))

    def test_a_wrong_secret_is_told_apart_from_a_missing_key(self, object_store_server: EmbeddedObjectStore) -> None:
        stranger = MinioStore(object_store_server.url, object_store_server.access_key, "wrong" * 8, "kargah")
        with pytest.raises(StoreUnavailable):
            stranger.check()
        with pytest.raises(StoreUnavailable):
            stranger.get("key")

    def test_a_missing_bucket_is_not_ready(self, object_store_server: EmbeddedObjectStore) -> None:
        absent = store_in(object_store_server, "no-such-bucket")
        with pytest.raises(StoreUnavailable, match="no-such-bucket"):
            absent.check()

    def test_the_bucket_is_made_once_by_several(self, object_store_server: EmbeddedObjectStore) -> None:
        store = store_in(object_store_server, "made-by-several")
        threads = [threading.Thread(target=store.ensure_bucket) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        store.check()

    @pytest.mark.campaign
    def test_a_read_goes_on_after_the_server_restarted(self, own_server: EmbeddedObjectStore) -> None:
        data = hashlib.shake_128(b"restart").digest(24 << 20)
        store = store_in(own_server, "kargah")
        store.ensure_bucket()
        store.put_stream("large", _stream(data))
        with store.open("large") as stream:
            got = stream.read(1 << 20)
            own_server.kill()
            own_server.start()
            got += stream.read()
        assert hashlib.sha256(got).digest() == hashlib.sha256(data).digest()

    def test_a_read_never_mixes_two_objects(self, own_server: EmbeddedObjectStore) -> None:
        store = store_in(own_server, "kargah")
        store.ensure_bucket()
        store.put("large", b"a" * (24 << 20))
        with store.open("large") as stream:
            stream.read(1 << 20)
            own_server.kill()
            own_server.start()
            store.put("large", b"b" * (24 << 20))
            with pytest.raises(StoreUnavailable):
                stream.read()

    @pytest.mark.campaign
    def test_a_stopped_server_is_unavailable(self, own_server: EmbeddedObjectStore) -> None:
        store = store_in(own_server, "kargah")
        store.ensure_bucket()
        own_server.stop()
        with pytest.raises(StoreUnavailable):
            store.check()
        with pytest.raises(StoreUnavailable):
            store.put("key", b"x")
        with pytest.raises(StoreUnavailable):
            store.get("key")
