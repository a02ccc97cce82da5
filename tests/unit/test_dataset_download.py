"""Rows come out as files by split, whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kargah.clients.dataset_download import write_rows
from kargah.contracts.datasets import DatasetStats, DatasetVersionView, VersionSplits

_ROWS = "".join(f'{{"text":"سطر {number}\u2028"}}\n' for number in range(50)).encode()
_PLACES = bytes(number % 3 for number in range(50))


def _version(names: list[str] | None, sha256: str | None = None) -> DatasetVersionView:
    splits = VersionSplits(kind="hash", names=names, sha256="0" * 64) if names else None
    return DatasetVersionView(
        id="dsv_1",
        dataset="d",
        version=1,
        format="text",
        sha256=sha256 or hashlib.sha256(_ROWS).hexdigest(),
        source_sha256="0" * 64,
        source_filename="d.jsonl",
        stats=DatasetStats(rows=50, size_bytes=len(_ROWS), fields=["text"]),
        splits=splits,
        created_at=datetime.now(UTC),
    )


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 1000, 1 << 20])
def test_each_split_gets_its_rows_in_their_order(tmp_path: Path, size: int) -> None:
    names = ["train", "validation", "test"]
    paths = write_rows(_version(names), _cut(_ROWS, size), _cut(_PLACES, size), tmp_path / "out")
    lines = _ROWS.split(b"\n")[:-1]
    for place, (name, path) in enumerate(zip(names, paths, strict=True)):
        assert path == tmp_path / "out" / f"{name}.jsonl"
        assert path.read_bytes().split(b"\n")[:-1] == lines[place::3]


def test_undivided_rows_are_one_file(tmp_path: Path) -> None:
    (path,) = write_rows(_version(None), _cut(_ROWS, 100), None, tmp_path)
    assert (path.name, path.read_bytes()) == ("train.jsonl", _ROWS)


@pytest.mark.parametrize("came", [_ROWS[:-9], _ROWS[:-1], _ROWS + b"{}\n", b""])
def test_what_is_not_the_version_is_not_kept(tmp_path: Path, came: bytes) -> None:
    (tmp_path / "train.jsonl").write_text("kept")
    with pytest.raises(OSError, match="arrived damaged"):
        write_rows(_version(None), _cut(came, 100), None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["train.jsonl"]
    assert (tmp_path / "train.jsonl").read_text() == "kept"
