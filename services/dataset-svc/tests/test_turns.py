"""Which files take a turn to be checked: those that are large, and those that may be once they are unpacked."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import create_engine

from dataset_svc.datasets.turns import Turns, is_large
from dataset_svc.datasets.uploads import Limits, Request, Uploads
from kargah.adapters.folder_store import FolderStore

LINES = b'{"question": "a", "answer": "b"}\n{"question": "c", "answer": "d"}\n'


class Noted(Turns):
    """Remembers who asked for a turn."""

    def __init__(self) -> None:
        super().__init__(at_once=1, waiting=0)
        self.taken = 0

    @contextmanager
    def turn(self, *, large: bool) -> Iterator[None]:
        with super().turn(large=large):
            self.taken += large
            yield


def parquet(_data: bytes) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"question": ["a", "c"], "answer": ["b", "d"]}), sink)
    return sink.getvalue()


def large(data: bytes) -> bytes:
    return data + b'{"question": "e", "answer": "%s"}\n' % (b"f" * (1 << 20))


@pytest.mark.parametrize(
    ("made", "turns"),
    [(bytes, 0), (gzip.compress, 1), (parquet, 1), (large, 1), (lambda data: gzip.compress(large(data)), 1)],
)
def test_a_file_takes_one_turn_if_there_may_be_much_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Callable[[bytes], bytes], turns: int
) -> None:
    noted = Noted()
    monkeypatch.setattr(Uploads, "record", lambda *_given: "recorded")
    uploads = Uploads(FolderStore(tmp_path), create_engine("sqlite://"), Limits(1 << 30, 1 << 30), noted)
    with uploads.staged(io.BytesIO(made(LINES))) as staged:
        assert str(uploads.add(staged, Request("rows"))) == "recorded"
    assert noted.taken == turns


def test_the_bound_is_a_mebibyte() -> None:
    assert [is_large(size) for size in (0, 1 << 20, (1 << 20) + 1)] == [False, False, True]
