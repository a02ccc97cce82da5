"""Objects in parts: one contract for the folder of the unit tests and for the minio client against a real S3 server."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from kargah.adapters.folder_store import FolderStore
from kargah.adapters.minio_store import MinioStore
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.ports.object_store import MultipartStore, ObjectMissing

PART = 5 << 20
QUARTER_HOUR = timedelta(minutes=15)


@pytest.fixture(params=["folder", "minio"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MultipartStore:
    if request.param == "folder":
        return FolderStore(tmp_path / "objects")
    found: MinioStore = request.getfixturevalue("object_store")
    return found


def content(seed: int, size: int = PART) -> bytes:
    return hashlib.shake_128(b"%d" % seed).digest(size)


def test_parts_in_any_order_make_the_object(store: MultipartStore) -> None:
    upload = store.begin_multipart("in/parts")
    pieces = {number: content(number, PART if number < 3 else 17) for number in (1, 2, 3)}
    for number in (3, 1, 2):
        store.put_part("in/parts", upload, number, pieces[number])
    found = store.parts("in/parts", upload)
    assert [(part.number, part.size) for part in found] == [(1, PART), (2, PART), (3, 17)]
    assert list(store.list("")) == []
    with pytest.raises(ObjectMissing):
        store.stat("in/parts")
    store.finish_multipart("in/parts", upload, found)
    assert store.get("in/parts") == b"".join(pieces[number] for number in (1, 2, 3))
    assert list(store.multiparts("")) == []


def test_a_part_sent_again_counts_once(store: MultipartStore) -> None:
    upload = store.begin_multipart("key")
    for _ in range(3):
        store.put_part("key", upload, 1, content(1))
    store.put_part("key", upload, 2, b"end")
    found = store.parts("key", upload)
    assert [(part.number, part.size) for part in found] == [(1, PART), (2, 3)]
    store.finish_multipart("key", upload, found)
    assert store.get("key") == content(1) + b"end"


def test_parts_are_copied_from_other_objects(store: MultipartStore) -> None:
    store.put("source", content(1, 2 * PART))
    store.put("other source", b"0123456789")
    upload = store.begin_multipart("key")
    store.copy_part("key", upload, 2, "other source", 3, 4)
    store.copy_part("key", upload, 1, "source", 7, PART)
    with pytest.raises(ObjectMissing):
        store.copy_part("key", upload, 3, "absent", 0, 1)
    store.finish_multipart("key", upload, store.parts("key", upload))
    assert store.get("key") == content(1, 2 * PART)[7 : 7 + PART] + b"3456"


def test_two_uploads_to_one_key_do_not_meet(store: MultipartStore) -> None:
    first, second = store.begin_multipart("key"), store.begin_multipart("key")
    store.put_part("key", first, 1, b"first")
    store.put_part("key", second, 1, b"second")
    store.finish_multipart("key", second, store.parts("key", second))
    assert store.get("key") == b"second"
    store.abort_multipart("key", first)
    assert store.get("key") == b"second"


def test_what_is_under_way_is_listed_by_prefix(store: MultipartStore) -> None:
    ids = {key: store.begin_multipart(key) for key in ("a/one", "a/two", "b/سه")}
    store.put_part("a/two", ids["a/two"], 1, b"x")
    assert {one.key: one.upload_id for one in store.multiparts("")} == ids
    assert sorted(one.key for one in store.multiparts("a/")) == ["a/one", "a/two"]
    (only,) = store.multiparts("b")
    assert only.key == "b/سه"
    assert abs(datetime.now(UTC) - only.begun_at) < timedelta(minutes=1)
    for key, upload in ids.items():
        store.abort_multipart(key, upload)
    assert list(store.multiparts("")) == []


def test_an_aborted_or_unknown_upload_is_missing(store: MultipartStore) -> None:
    upload = store.begin_multipart("key")
    store.put_part("key", upload, 1, b"x")
    parts = store.parts("key", upload)
    store.abort_multipart("key", upload)
    store.abort_multipart("key", upload)
    with pytest.raises(ObjectMissing):
        store.parts("key", upload)
    with pytest.raises(ObjectMissing):
        store.finish_multipart("key", upload, parts)
    with pytest.raises(ObjectMissing):
        store.put_part("key", upload, 2, b"y")
    assert list(store.list("")) == []


def test_a_broken_stream_leaves_nothing_under_way(store: MultipartStore) -> None:
    class Breaking:
        def read(self, size: int = -1) -> bytes:
            self.left = getattr(self, "left", 3) - 1
            if self.left < 0:
                raise ConnectionError("the sender went away")
            return b"x" * min(size, PART)

    with pytest.raises(ConnectionError):
        store.put_stream("partial", Breaking(), part_size=PART)  # type: ignore[arg-type]
    assert list(store.multiparts("")) == []


class TestS3Only:
    """What a folder cannot show."""

    def test_a_part_needs_no_key_but_its_url(self, object_store: MinioStore) -> None:
        upload = object_store.begin_multipart("by/url")
        for number in (1, 2):
            url = object_store.presign_part("by/url", upload, number, QUARTER_HOUR)
            answer = httpx.put(url, content=content(number))
            assert answer.status_code == 200, answer.text
            assert answer.headers["etag"].strip('"') == object_store.parts("by/url", upload)[number - 1].etag
            other = url.replace(f"partNumber={number}", "partNumber=7")
            assert httpx.put(other, content=b"x").status_code == 403
        object_store.finish_multipart("by/url", upload, object_store.parts("by/url", upload))
        assert object_store.get("by/url") == content(1) + content(2)

    def test_part_urls_are_short_lived(self, object_store: MinioStore) -> None:
        with pytest.raises(ValueError, match="15 minutes"):
            object_store.presign_part("key", "id", 1, timedelta(hours=1))

    def test_urls_name_the_public_address(self, object_store_server: EmbeddedObjectStore) -> None:
        server = object_store_server
        public = "https://store.example:8443"
        store = MinioStore(server.url, server.access_key, server.secret_key, "kargah", public_endpoint=public)
        assert store.presign_get("key", QUARTER_HOUR).startswith(f"{public}/kargah/key?")
        assert store.presign_part("key", "id", 3, QUARTER_HOUR).startswith(f"{public}/kargah/key?")
