"""Pages of rows, and of those with a text: bounded work, nothing left out, nothing twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dataset_svc.checks.row_index import RowIndex
from dataset_svc.datasets import pages
from dataset_svc.datasets.pages import RowPage, read_page
from kargah.adapters.folder_store import FolderStore
from kargah.contracts.datasets import DatasetStats, DatasetVersionView
from kargah.formats.folding import Needle

ROWS: list[dict[str, Any]] = [
    {"text": f"سفرنامهٔ {n}" if n % 10 == 3 else f"چیز دیگری {n}", "note": ["بی‌سفر"] if n == 55 else []}
    for n in range(200)
]
FOUND = [n for n in range(200) if n % 10 == 3 or n == 55]


class Rows:
    """A version in a store."""

    def __init__(self, folder: Path, rows: list[dict[str, Any]]) -> None:
        lines = [json.dumps(row, ensure_ascii=row["text"].endswith("3")).encode() + b"\n" for row in rows]
        self.store = FolderStore(folder)
        self.store.put(f"datasets/{'0' * 64}", b"".join(lines))
        self.index = RowIndex(spacing=1000)
        size = 0
        for number, line in enumerate(lines):
            self.index.add(number, size)
            size += len(line)
        self.version = DatasetVersionView(
            id="v", dataset="d", version=1, format="text", sha256="0" * 64, source_filename="f", source_sha256="0",
            stats=DatasetStats(rows=len(rows), size_bytes=size, fields=[]), created_at=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip

    def page(self, offset: int, limit: int, search: str | None = None) -> RowPage:
        needle = None if search is None else Needle.of(search)
        return read_page(self.store, self.version, self.index, offset, limit, needle)


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path, ROWS)


def test_pages_follow_each_other_to_the_end(rows: Rows) -> None:
    page, seen = rows.page(0, 30), []
    while True:
        seen += page.rows
        assert page.numbers == list(range(len(seen) - len(page.rows), len(seen)))
        if page.following is None:
            break
        page = rows.page(page.following, 30)
    assert seen == ROWS
    assert (rows.page(200, 5).rows, rows.page(10**9, 5).following) == ([], None)


def test_a_search_finds_every_row_once_whatever_the_pages(rows: Rows) -> None:
    assert rows.page(0, 100, "سفر").numbers == FOUND
    seen: list[int] = []
    following: int | None = 0
    while following is not None:
        page = rows.page(following, 4, "سفر")
        assert page.rows == [ROWS[number] for number in page.numbers]
        seen, following = seen + page.numbers, page.following
    assert seen == FOUND


def test_a_search_stops_after_its_share_of_work_and_goes_on(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SEARCHED_BYTES", 2000)
    first = rows.page(0, 100, "هیچ‌جا نیست")
    assert (first.rows, first.following) == ([], first.following) and first.following is not None
    answers, following = 1, first.following
    while following is not None:
        page = rows.page(following, 100, "هیچ‌جا نیست")
        assert page.following is None or page.following > following
        answers, following = answers + 1, page.following
    assert answers > 3


def test_large_rows_end_a_page_early_but_one_is_always_there(tmp_path: Path) -> None:
    large = Rows(tmp_path, [{"text": "x" * (5 << 20)} for _ in range(3)])
    page = large.page(0, 3)
    assert (page.numbers, page.following) == ([0], 1)
