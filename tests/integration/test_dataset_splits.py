"""Versions with splits, on a real Postgres and S3."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import text

from dataset_svc.datasets.objects import release
from dataset_svc.datasets.queries import PreviewQuery
from dataset_svc.datasets.service import DatasetService
from dataset_svc.datasets.uploads import Limits, Request, Uploads
from dataset_svc.splits.files import make_missing
from dataset_svc.splits.service import SplitService
from kargah.adapters.minio_store import MinioStore
from kargah.contracts.datasets import DatasetVersionView, SplitRequest
from kargah.db.engine import Engine, create_engine
from kargah.domain.errors import Conflict, Invalid, NotFound
from kargah.testing.fixtures import DatabaseUrlFor

ROWS = [{"question": f"پرسش {n}", "answer": f"پاسخ {n}", "part": ("train", "dev", "test")[n % 3]} for n in range(90)]


@dataclass(frozen=True)
class House:
    """The parts of the service, without its HTTP."""

    store: MinioStore
    engine: Engine
    datasets: DatasetService
    uploads: Uploads
    splits: SplitService

    def upload(self, rows: list[dict[str, Any]], name: str = "d") -> DatasetVersionView:
        data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
        with self.uploads.staged(io.BytesIO(data)) as staged:
            return self.uploads.add(staged, Request(name, "rows.jsonl"))[0]

    def split(self, **wanted: Any) -> DatasetVersionView:
        return self.splits.split("d", SplitRequest.model_validate(wanted))[0]

    def places(self, version: DatasetVersionView) -> list[int]:
        assert version.splits is not None
        return list(self.store.get(f"datasets/{version.splits.sha256}"))

    def lines(self, version: DatasetVersionView) -> list[bytes]:
        return self.store.get(f"datasets/{version.sha256}").splitlines()


@pytest.fixture
def house(object_store: MinioStore, database_url_for: DatabaseUrlFor) -> Iterator[House]:
    engine = create_engine(database_url_for("dataset-svc"))
    uploads = Uploads(object_store, engine, Limits(1 << 20, 1 << 20))
    datasets = DatasetService(object_store, engine)
    yield House(object_store, engine, datasets, uploads, SplitService(object_store, datasets, uploads))
    engine.dispose()


def test_a_hash_split_is_a_new_version_of_the_same_rows(house: House) -> None:
    plain = house.upload(ROWS)
    divided = house.split(hash={"test": 0.2, "validation": 0.1, "seed": 7})

    assert (plain.version, divided.version, divided.sha256) == (1, 2, plain.sha256)
    assert divided.splits is not None
    assert (divided.splits.kind, divided.splits.seed, divided.splits.asked) == (
        "hash", 7, {"test": 0.2, "validation": 0.1},
    )  # fmt: skip
    places = house.places(divided)
    found = {name: places.count(number) for number, name in enumerate(divided.splits.names)}
    assert {name: stats.rows for name, stats in divided.stats.splits.items()} == found
    assert divided.stats.splits["test"].share == round(found["test"] / 90, 6)
    assert divided.stats.fields == plain.stats.fields and plain.splits is None
    assert house.datasets.location("d").version == divided


def test_asking_again_makes_no_second_version_and_another_seed_does(house: House) -> None:
    house.upload(ROWS)
    first = house.split(hash={"test": 0.2})
    again, created = house.splits.split("d", SplitRequest.model_validate({"version": 1, "hash": {"test": 0.2}}))
    assert (again, created) == (first, False)
    assert house.split(hash={"test": 0.2, "seed": 1}).version == 3


def test_added_rows_leave_the_others_where_they_were(house: House) -> None:
    house.upload(ROWS[:50])
    before = house.split(hash={"test": 0.3})
    old = dict(zip(house.lines(before), house.places(before), strict=True))
    house.upload(ROWS)
    after = house.split(hash={"test": 0.3})
    new = dict(zip(house.lines(after), house.places(after), strict=True))
    assert after.version == 4 and old == {line: new[line] for line in old}


def test_a_column_names_the_splits(house: House) -> None:
    house.upload(ROWS)
    divided = house.split(column="part")
    assert house.places(divided) == [0, 1, 2] * 30
    house.upload([*ROWS, {"question": "x", "answer": "y", "part": "elsewhere"}])
    with pytest.raises(Invalid) as refused:
        house.split(column="part")
    assert [(error.field, error.line) for error in refused.value.errors] == [("part", 91)]


def test_files_become_the_splits_of_one_version(house: House) -> None:
    test, train = house.upload(ROWS[60:]), house.upload(ROWS[:60])
    joined = house.split(parts={"train": train.version, "test": test.version})
    assert house.lines(joined) == [json.dumps(row, ensure_ascii=False).encode() for row in ROWS]
    assert house.places(joined) == [0] * 60 + [2] * 30
    assert (joined.version, joined.stats.rows, joined.source_sha256) == (3, 90, joined.sha256)
    assert [json.loads(line) for line in house.lines(joined)][85:] == house.datasets.preview(
        "d", PreviewQuery(offset=85)
    ).rows


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"hash": {"test": 0.00001}}, "test"),
        ({"column": "question"}, "question"),
        ({"parts": {"train": 1, "test": 2}}, "parts"),
    ],
)
def test_what_cannot_be_divided_so_is_refused_and_leaves_nothing(
    house: House, wanted: dict[str, Any], field: str
) -> None:
    house.upload(ROWS)
    house.upload([{"text": "متن", "label": "a"}, {"text": "نوشته", "label": "b"}])
    stored = {found.key for found in house.store.list("")}
    with pytest.raises(Invalid) as refused:
        house.split(**({"version": 1} if "parts" not in wanted else {}), **wanted)
    assert refused.value.errors[0].field == field
    assert {found.key for found in house.store.list("")} == stored
    with pytest.raises(NotFound):
        house.split(version=9, hash={"test": 0.5})


def test_what_stands_in_two_splits_is_told(house: House) -> None:
    same = {"question": "كتاب چيست؟", "answer": "نوشته", "part": "train"}
    house.upload([*ROWS, same, same | {"part": "test"}, {"question": "کتاب چیست؟", "answer": "ورق", "part": "test"}])
    codes = {warning.code: warning for warning in house.split(column="part").warnings}
    assert "leaked_rows" not in codes
    assert codes["leaked_questions"].line == 92 and "2 in all" in codes["leaked_questions"].message
    test, train = house.upload(ROWS[60:]), house.upload(ROWS[:61])
    joined = house.split(parts={"train": train.version, "test": test.version})
    leaked = [warning for warning in joined.warnings if warning.code.startswith("leaked")]
    assert [(warning.code, warning.line) for warning in leaked] == [("leaked_rows", 62)]
    repeated = next(warning for warning in joined.warnings if warning.code == "duplicate_rows")
    lines = house.store.get(f"datasets/{joined.sha256}")
    assert (repeated.line, repeated.byte_offset) == (62, len(b"\n".join(lines.split(b"\n")[:61])) + 1)


def test_a_file_whose_rows_name_their_split_is_divided_at_once(house: House) -> None:
    names = ("train", "val", "eval", "آزمون", "TEST", "dev")
    given = house.upload([{"question": f"{n}", "answer": f"{n}", "split": names[n % 6]} for n in range(60)])
    assert given.splits is not None and (given.splits.kind, given.splits.column) == ("column", "split")
    assert house.places(given) == [0, 1, 1, 2, 2, 1] * 10
    assert {name: stats.rows for name, stats in given.stats.splits.items()} == {
        "train": 10,
        "validation": 30,
        "test": 20,
    }
    assert house.split(column="split") == given, "asked for, it is the same version"
    assert house.split(hash={"test": 0.5}).version == 2


@pytest.mark.parametrize(
    ("said", "warned"),
    [
        (["train"] * 4, False),
        (["north", "south"] * 2, False),
        (["train", "test", "train", "elsewhere"], True),
        (["train", "test", None, "test"], True),
        (["test", "dev"] * 2, True),
    ],
)
def test_a_column_that_does_not_divide_the_rows_is_left_alone(
    house: House, said: list[str | None], warned: bool
) -> None:
    rows = [{"question": f"{n}", "answer": f"{n}", "split": split} for n, split in enumerate(said)]
    version = house.upload([{name: cell for name, cell in row.items() if cell is not None} for row in rows])
    assert (version.splits, version.stats.splits) == (None, {})
    assert [warning.code for warning in version.warnings] == (["split_not_used"] if warned else [])
    assert all("staging/" not in found.key for found in house.store.list(""))


def test_the_objects_of_splits_are_kept_and_go_with_their_version(house: House) -> None:
    house.upload(ROWS)
    divided = house.split(hash={"test": 0.5})
    assert divided.splits is not None
    assert release(house.store, house.engine, [divided.splits.sha256, *divided.splits.files.values()]) == 0
    house.datasets.delete("d")
    assert list(house.store.list("")) == []


def test_each_split_is_a_file_of_its_own(house: House) -> None:
    plain = house.upload(ROWS)
    divided = house.split(column="part")
    assert divided.splits is not None and divided.splits.files.keys() == {"train", "validation", "test"}
    for number, split in enumerate(divided.splits.names):
        sha256 = divided.splits.files[split]
        content = house.store.get(f"datasets/{sha256}")
        assert content.splitlines() == house.lines(plain)[number::3]
        assert hashlib.sha256(content).hexdigest() == sha256
        assert len(content) == divided.stats.splits[split].size_bytes
    assert all(not found.key.startswith("staging/") for found in house.store.list(""))


def test_files_that_an_older_release_did_not_make_are_made(house: House) -> None:
    house.upload(ROWS)
    divided = house.split(hash={"test": 0.5})
    assert divided.splits is not None
    with house.engine.begin() as connection:
        connection.execute(text("UPDATE dataset_versions SET split_files = NULL, splits = splits - 'files'"))
    files = list(divided.splits.files.values())
    assert house.datasets.get("d").latest.splits == divided.splits.model_copy(update={"files": {}})
    assert release(house.store, house.engine, files) == 2
    assert make_missing(house.store, house.engine) == 1
    assert house.datasets.get("d").latest == divided
    assert release(house.store, house.engine, files) == 0 == make_missing(house.store, house.engine)


def test_one_version_can_go_alone(house: House) -> None:
    house.upload(ROWS)
    divided, other = house.split(hash={"test": 0.5}), house.upload(ROWS[:30])
    assert divided.splits is not None
    with pytest.raises(Conflict, match="d@2"):
        house.datasets.delete("d", 1)
    for number in (4, 0):
        with pytest.raises(NotFound):
            house.datasets.delete("d", number)
    house.datasets.delete("d", 2)
    assert {found.key for found in house.store.list("")} == {
        f"datasets/{one.sha256}" for one in (divided, other)
    }  # version 1 has the rows that were divided
    house.datasets.delete("d", 3)
    assert house.datasets.get("d").latest.version == 1
    assert [one.version for one in house.datasets.versions("d", None, 10).items] == [1]
    assert house.upload(ROWS[:40]).version == 4  # no number means two things
    house.datasets.delete("d", 4)
    house.datasets.delete("d", 1)
    assert list(house.store.list("")) == []
    with pytest.raises(NotFound):
        house.datasets.get("d")
