"""How a version's rows are best stored for training: canonical JSON lines beside Parquet, on the same rows.

`python -m benchmarks.row_storage [ROWS]` prints sizes, and seconds to open, to read everything and to read rows at
random, each the best of three; Parquet with one text column (the exact line) and with a column per field, zstd.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from kargah.formats.registry import format_named
from worker.trainer.rows import RowFile

_GROUP_ROWS = 8192
_RANDOM_ROWS = 2000
_SHAPE = format_named("question_answer")
_WORDS = [
    "می‌خواهم", "سفر", "کتاب", "شهر", "تهران", "پاسخ", "پرسش", "خانه", "دریا", "کوه", "مردم", "زبان",
    "فارسی", "آموزش", "دانش", "کار", "روز", "شب", "سال", "زمان", "بزرگ‌ترین", "کوچک", "نخستین", "تاریخ",
    "جهان", "ایران", "است", "بود", "شد", "کرد", "گفت", "رفت", "آمد", "دید", "نوشت", "خواند", "چرا", "چگونه",
    "کجا", "کدام", "از", "به", "در", "که", "را", "با", "برای",
]  # fmt: skip


def rows_of(count: int) -> list[dict[str, str]]:
    """Persian questions and answers of 3 to 60 words."""
    rng = random.Random(1)
    return [
        {
            "question": " ".join(rng.choices(_WORDS, k=rng.randint(3, 20))) + f" {number}؟",
            "answer": " ".join(rng.choices(_WORDS, k=rng.randint(5, 60))),
        }
        for number in range(count)
    ]


def best(call: Callable[[], Any]) -> float:
    """Seconds, the least of three."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def write(folder: Path, rows: list[dict[str, str]]) -> dict[str, Path]:
    """The same rows in three files."""
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows]
    paths = {name: folder / name for name in ("rows.jsonl", "line.parquet", "fields.parquet")}
    paths["rows.jsonl"].write_text("\n".join(lines) + "\n", encoding="utf-8")
    options = {"compression": "zstd", "row_group_size": _GROUP_ROWS, "use_dictionary": False}
    pq.write_table(pa.table({"row": lines}), paths["line.parquet"], **options)
    pq.write_table(pa.Table.from_pylist(rows), paths["fields.parquet"], **options)
    return paths


def read_jsonl(path: Path) -> list[Any]:
    """As the trainer does."""
    rows = RowFile(path)
    return [rows.example(number, _SHAPE) for number in range(len(rows))]


def read_lines(path: Path) -> list[Any]:
    """Exact lines out of Parquet, then as the trainer does."""
    column = pq.read_table(path, memory_map=True).column("row")
    return [_SHAPE.to_example(json.loads(line)) for batch in column.chunks for line in batch.to_pylist()]


def read_fields(path: Path) -> list[Any]:
    """Rows out of columns."""
    table = pq.read_table(path, memory_map=True)
    return [_SHAPE.to_example(row) for batch in table.to_batches() for row in batch.to_pylist()]


def random_jsonl(path: Path, numbers: list[int]) -> None:
    rows = RowFile(path)
    for number in numbers:
        rows.example(number, _SHAPE)


def random_parquet(path: Path, numbers: list[int]) -> None:
    """The whole table in memory, as random access without it would unpack a row group for every row."""
    column = pq.read_table(path, memory_map=True).column("row").combine_chunks()
    for number in numbers:
        _SHAPE.to_example(json.loads(column[number].as_py()))


def main() -> None:
    """Print a line for each file."""
    rows = rows_of(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
    numbers = random.Random(2).choices(range(len(rows)), k=_RANDOM_ROWS)
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), rows)
        whole = paths["rows.jsonl"].stat().st_size
        figures: dict[str, list[tuple[str, Callable[[], Any]]]] = {
            "rows.jsonl": [
                ("open", lambda: RowFile(paths["rows.jsonl"])),
                ("all", lambda: read_jsonl(paths["rows.jsonl"])),
                ("random", lambda: random_jsonl(paths["rows.jsonl"], numbers)),
            ],
            "line.parquet": [
                ("open", lambda: pq.read_table(paths["line.parquet"], memory_map=True)),
                ("all", lambda: read_lines(paths["line.parquet"])),
                ("random", lambda: random_parquet(paths["line.parquet"], numbers)),
            ],
            "fields.parquet": [
                ("open", lambda: pq.read_table(paths["fields.parquet"], memory_map=True)),
                ("all", lambda: read_fields(paths["fields.parquet"])),
            ],
        }
        for name, measures in figures.items():
            size = paths[name].stat().st_size
            told = ", ".join(f"{what} {best(call):.3f} s" for what, call in measures)
            sys.stdout.write(f"{name}: {len(rows):,} rows, {size / 1e6:.1f} MB ({size / whole:.2f}), {told}\n")


if __name__ == "__main__":
    main()
