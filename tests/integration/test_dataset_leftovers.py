"""What the dataset service's janitor removes, and what it must not, on a real Postgres and S3."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dataset_svc.datasets.objects import release, sweep
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import Limits, Request, Uploads
from kargah.adapters.minio_store import MinioStore
from kargah.contracts.datasets import DatasetVersionView
from kargah.db.engine import Engine, create_engine
from kargah.domain.errors import NotFound, TooLarge
from kargah.testing.fixtures import DatabaseUrlFor

QA = b'{"question":"q","answer":"a"}\n{"question":"q2","answer":"a2"}\n'
TOMORROW = timedelta(days=1, minutes=5)


@pytest.fixture
def engine(database_url_for: DatabaseUrlFor) -> Iterator[Engine]:
    engine = create_engine(database_url_for("dataset-svc"))
    yield engine
    engine.dispose()


def upload(store: MinioStore, engine: Engine, limit: int = 1 << 20) -> DatasetVersionView:
    uploads = Uploads(store, engine, Limits(limit, limit))
    with uploads.staged(io.BytesIO(QA)) as staged:
        return uploads.add(staged, Request("d", "qa.jsonl"))[0]


def keys(store: MinioStore) -> set[str]:
    return {found.key for found in store.list("")}


def test_only_old_leftovers_go(object_store: MinioStore, engine: Engine) -> None:
    version = upload(object_store, engine)
    kept = f"datasets/{version.sha256}"
    leftovers = {"staging/upload_x/source", f"datasets/{'0' * 64}"}
    for key in (*leftovers, "blobs/model"):
        object_store.put(key, b"left")
    assert sweep(object_store, engine) == 0
    assert sweep(object_store, engine, datetime.now(UTC) + TOMORROW) == 2
    assert keys(object_store) == {kept, "blobs/model"}


def test_what_a_version_needs_is_never_released(object_store: MinioStore, engine: Engine) -> None:
    version = upload(object_store, engine)
    assert release(object_store, engine, [version.sha256, version.source_sha256]) == 0
    assert object_store.get(f"datasets/{version.sha256}") == QA


def test_file_over_the_limit_leaves_nothing(object_store: MinioStore, engine: Engine) -> None:
    with pytest.raises(TooLarge):
        upload(object_store, engine, limit=10)
    assert keys(object_store) == set()


def test_a_version_that_is_deleted_while_it_is_read_is_not_found(object_store: MinioStore, engine: Engine) -> None:
    version, datasets = upload(object_store, engine), DatasetService(object_store, engine)
    assert datasets.index(version).nearest(1)[0] == 0
    datasets.delete("d")
    with pytest.raises(NotFound):
        datasets.index(version)
