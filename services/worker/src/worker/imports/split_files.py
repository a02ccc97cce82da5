"""A repository's files for each split as one file, in which a column `split` tells each row's: one version, divided."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TextIO, cast

import pyarrow as pa
import pyarrow.parquet as pq

from kargah.domain.splits import SPLITS, TRAIN, split_named
from worker.imports.errors import ImportFailed

COLUMN = "split"
_ROWS = 1024
_BUFFER = 1 << 20
_LONGEST_CELL = 64 << 20
_PACKED = {".gz": "gzip", ".zst": "zstd"}
Pieces = Mapping[str, Sequence[Path]]
"""Files by the split that their rows belong to."""


def by_split(paths: Sequence[str]) -> dict[str, list[str]]:
    """The paths by the split that their names tell: `data/val-00000-of-00002.parquet` is validation's. Empty unless
    there is something to train on and something else."""
    found: dict[str, list[str]] = {name: [] for name in SPLITS}
    for path in paths:
        if (split := _split_of(path)) is not None:
            found[split].append(path)
    given = {name: files for name, files in found.items() if files}
    return given if TRAIN in given and len(given) > 1 else {}


def join_splits(pieces: Pieces, target: Path, max_bytes: int) -> Path:
    """One file in the folder `target` with the rows of all. Raises ImportFailed for files of several kinds, or of one
    to which no column can be added, and for more than `max_bytes` of unpacked rows."""
    writers = {_WRITERS.get(_kind(path)) for _, path in _each(pieces)}
    known = writers.pop() if len(writers) == 1 else None
    if known is None:
        raise ImportFailed("many_files", "its splits are files of several kinds, or of one without columns")
    suffix, writer = known
    made = target / f"splits{suffix}"
    try:
        writer(pieces, made, max_bytes)
    except (pa.ArrowException, ValueError, csv.Error, EOFError) as error:
        made.unlink(missing_ok=True)
        raise ImportFailed("many_files", f"the files of its splits cannot be put together: {error}") from error
    return made


def _split_of(path: str) -> str | None:
    """The last word of the path that names a split, the file's own words before its folders'."""
    words = [word for part in reversed(PurePosixPath(path).parts) for word in reversed(re.split(r"[._-]", part))]
    return next((split for word in words if (split := split_named(word)) is not None), None)


def _kind(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in _PACKED), "")


def _join_parquet(pieces: Pieces, made: Path, _max_bytes: int) -> None:
    first = pq.read_schema(pieces[TRAIN][0]).remove_metadata()
    columns = [name for name in first.names if name != COLUMN]
    schema = pa.schema([*(first.field(name) for name in columns), pa.field(COLUMN, pa.string())])
    with pq.ParquetWriter(made, schema) as writer:
        for split, path in _each(pieces):
            for batch in pq.ParquetFile(path, pre_buffer=False).iter_batches(_ROWS, columns=columns):
                arrays = [*batch.columns, pa.array([split] * batch.num_rows, pa.string())]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))


def _join_lines(pieces: Pieces, made: Path, max_bytes: int) -> None:
    with made.open("wb") as file:
        for split, path in _each(pieces):
            with _opened(path) as lines:
                for line in lines:
                    file.write(_with_split(line, split))
                    _bound(file.tell(), max_bytes)


def _with_split(line: bytes, split: str) -> bytes:
    """A line that is no object stays as it is: what is wrong with it is told where rows are checked."""
    row = line.strip()
    if not row.startswith(b"{"):
        return row + b"\n"
    if b'"split"' in row:
        return _replaced(row, split)
    rest = row[1:].lstrip()
    return b'{"%s":"%s"%s%s\n' % (COLUMN.encode(), split.encode(), b"" if rest.startswith(b"}") else b",", rest)


def _replaced(row: bytes, split: str) -> bytes:
    try:
        return json.dumps({**json.loads(row), COLUMN: split}, ensure_ascii=False).encode() + b"\n"
    except (ValueError, RecursionError):
        return row + b"\n"


def _join_tables(pieces: Pieces, made: Path, max_bytes: int) -> None:
    csv.field_size_limit(_LONGEST_CELL)
    known: list[str] | None = None
    with made.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for split, path in _each(pieces):
            with _opened(path) as source:
                rows = _records(io.TextIOWrapper(cast(BinaryIO, source), "utf-8-sig", newline=""))
                header = next(rows, [])
                if known is None:
                    known = header
                    writer.writerow([*header, COLUMN])
                if header != known or COLUMN in header:
                    raise ValueError(f"{path.name} has other columns")
                for row in rows:
                    writer.writerow([*row, split])
                    _bound(file.tell(), max_bytes)


def _records(text: TextIO) -> Iterator[list[str]]:
    first = text.readline()
    delimiter = max(",;\t", key=first.count)
    return (row for row in csv.reader(_again(first, text), delimiter=delimiter) if row)


def _again(first: str, rest: TextIO) -> Iterator[str]:
    yield first
    yield from rest


def _each(pieces: Pieces) -> Iterator[tuple[str, Path]]:
    return ((split, path) for split, paths in pieces.items() for path in paths)


@contextmanager
def _opened(path: Path) -> Iterator[io.BufferedReader]:
    """The file's bytes, unpacked."""
    with (
        pa.input_stream(path, compression=_PACKED.get(path.suffix.lower())) as raw,
        io.BufferedReader(raw, _BUFFER) as stream,
    ):
        yield stream


def _bound(size: int, most: int) -> None:
    if size > most:
        hint = "KARGAH_IMPORT_MAX_BYTES on the workers is the limit"
        raise ImportFailed("too_large", f"the rows of its splits are larger than {most:,} bytes", hint)


_LINES: tuple[str, Callable[[Pieces, Path, int], None]] = (".jsonl", _join_lines)
_TABLES: tuple[str, Callable[[Pieces, Path, int], None]] = (".csv", _join_tables)
_WRITERS = {
    ".parquet": (".parquet", _join_parquet),
    ".jsonl": _LINES,
    ".ndjson": _LINES,
    ".csv": _TABLES,
    ".tsv": _TABLES,
}
