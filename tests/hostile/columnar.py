"""Parquet and Zstandard: cut, bent, and much larger inside than outside."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.hostile.case import JSONL, Hostile, Outcome

_QUESTIONS = ["پایتخت ایران؟", "کوه ایران؟"]
_ANSWERS = ["تهران", "دماوند"]


def _parquet(columns: dict[str, Any], **options: Any) -> bytes:
    """A file with a question and these columns."""
    return _written(pa.table({"question": _QUESTIONS, **columns}), **options)


def _written(table: Any, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def _zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return bytes(sink.getvalue())


def parquet() -> Iterator[Hostile]:
    """Files that are broken, and good ones that hold what no row may."""
    good = _parquet({"answer": _ANSWERS})
    yield Hostile("parquet: good rows", good, "x.parquet", outcome="accepted")
    yield Hostile("parquet: good rows named .jsonl", good, outcome="either")
    for share in (1, 3, 5, 7, 9):
        yield Hostile(f"parquet: cut after {share} tenths", good[: len(good) * share // 10], "x.parquet")
        place = len(good) * share // 10
        bent = good[:place] + bytes(byte ^ 0xFF for byte in good[place : place + 8]) + good[place + 8 :]
        yield Hostile(f"parquet: bent after {share} tenths", bent, "x.parquet", outcome="either")
    yield Hostile("parquet: a footer longer than the file", good[:-8] + b"\xff\xff\xff\x7fPAR1", "x.parquet")
    yield Hostile("parquet: no footer", good[:-8] + b"\x00\x00\x00\x00PAR1", "x.parquet")
    for what, values in {
        "bytes that are no text": [b"\xff\xfe", b"\x00"],
        "a NUL": ["a\x00b", "c"],
        "nulls": pa.array([None, None], pa.string()),
        "numbers": [1, 2],
        "lists": [["a"], []],
        "not a number": [float("nan"), 1.0],
    }.items():
        outcome: Outcome = "either" if what == "lists" else "refused"
        yield Hostile(f"parquet: answers are {what}", _parquet({"answer": values}), "x.parquet", outcome=outcome)
    twice = pa.table([_QUESTIONS, _ANSWERS, _ANSWERS], names=["question", "answer", "answer"])
    yield Hostile("parquet: a column twice", _written(twice), "x.parquet")
    yield Hostile("parquet: no rows", _written(pa.table({"question": [], "answer": []})), "x.parquet")
    yield Hostile("parquet: no columns", _written(pa.table({})), "x.parquet")
    yield Hostile("parquet: one row", _written(pa.table({"question": ["a"], "answer": ["b"]})), "x.parquet")
    bomb = pa.table({"question": pa.array(["x" * 100_000] * 2000).dictionary_encode(), "answer": ["b"] * 2000})
    yield Hostile("parquet: a bomb of one repeated text", _written(bomb), "x.parquet")
    yield Hostile("parquet: a text over the limit", _parquet({"answer": ["x" * (9 << 20), "b"]}), "x.parquet")


def zstandard() -> Iterator[Hostile]:
    """As with gzip."""
    packed = _zstd(JSONL * 50)
    yield Hostile("zstd: good rows", packed, "x.jsonl.zst", outcome="accepted")
    for share in range(1, 10, 2):
        yield Hostile(f"zstd: cut after {share} tenths", packed[: len(packed) * share // 10], "x.jsonl.zst")
    yield Hostile("zstd: and then something else", packed + b"tail" * 10, "x.jsonl.zst")
    yield Hostile("zstd: a bomb", _zstd(JSONL * (40_000_000 // len(JSONL))), "x.jsonl.zst")
    yield Hostile("zstd: in zstd", _zstd(packed), "x.jsonl.zst.zst")
    yield Hostile("zstd: of nothing", _zstd(b""), "x.jsonl.zst")
    yield Hostile("zstd: parquet inside", _zstd(_parquet({"answer": _ANSWERS})), "x.parquet.zst")
