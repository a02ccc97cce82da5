"""Encodings, broken bytes, NULs and surrogates, cut files, archives and foreign kinds."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

from tests.hostile.case import ARRAY, GOOD, JSONL, KINDS, TABLE, Hostile, array, jsonl

_ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1256", "iso-8859-6")
_BROKEN = {
    "a stray byte": b"\xff",
    "an overlong form": b"\xc0\xaf",
    "an encoded surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "a cut sequence": b"\xd8",
}
_FOREIGN = {
    "zip": b"PK\x03\x04" + bytes(60),
    "empty zip": b"PK\x05\x06" + bytes(18),
    "xz": b"\xfd7zXZ\x00" + bytes(60),
    "bzip2": b"BZh91AY&SY" + bytes(60),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(60),
    "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00cos\nsystem\n.",
    "arrow": b"ARROW1\x00\x00" + bytes(60),
    "tar": bytes(257) + b"ustar\x0000" + bytes(250),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(60),
    "elf": b"\x7fELF\x02\x01\x01" + bytes(60),
    "sqlite": b"SQLite format 3\x00" + bytes(60),
    "broken parquet": b"PAR1" + bytes(60) + b"PAR1",
    "cut parquet": b"PAR1" + bytes(20),
    "broken zstd": b"\x28\xb5\x2f\xfd" + bytes(40),
    "html": b"<!doctype html><html><body>404</body></html>\n",
    "xml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>\n",
    "yaml": b"question: a\nanswer: !!python/object/apply:os.system ['id']\n",
}


def encodings() -> Iterator[Hostile]:
    """Every kind of file in every encoding but the right one."""
    for encoding in _ENCODINGS:
        for filename, data in KINDS.items():
            text = data.decode().replace("ی", "ي").replace("ک", "ك").replace("پ", "ب").replace("گ", "ج")
            yield Hostile(f"{filename} in {encoding}", text.encode(encoding), filename)
    yield Hostile("a byte-order mark before each line", b"".join(b"\xef\xbb\xbf" + GOOD + b"\n" for _ in range(3)))
    yield Hostile("two byte-order marks", b"\xef\xbb\xbf" * 2 + JSONL)
    yield Hostile("a byte-order mark and good rows", b"\xef\xbb\xbf" + JSONL, outcome="accepted")
    yield Hostile("UTF-16 inside gzip", gzip.compress(JSONL.decode().encode("utf-16")))


def broken_bytes() -> Iterator[Hostile]:
    """Bytes that are not UTF-8 in the middle and at the end, NULs, halves of surrogate pairs."""
    for what, broken in _BROKEN.items():
        for filename, data in KINDS.items():
            middle = data.index("ا".encode())
            yield Hostile(f"{filename} with {what}", data[:middle] + broken + data[middle:], filename)
        yield Hostile(f"ends in {what}", JSONL + broken)
    for filename, data in KINDS.items():
        yield Hostile(f"{filename} with a NUL", data.replace(b" ", b"\x00", 1), filename)
        yield Hostile(f"{filename} of NULs", bytes(1000), filename)
    for what, escape in {"NUL": b"\\u0000", "high half": b"\\ud83d", "low half": b"\\ude00"}.items():
        yield jsonl(f"{what} escaped in a value", b'{"question":"a' + escape + b'","answer":"b"}')
        yield jsonl(f"{what} escaped in a key", b'{"question":"a","answer":"b","c' + escape + b'":1}')
        yield array(f"{what} escaped deep inside", b'{"question":"a","answer":"b","c":[{"d":["' + escape + b'"]}]}')


def cut_short() -> Iterator[Hostile]:
    """Files that end too early, or go on too long."""
    for share in range(1, 10):
        yield Hostile(f"an array cut after {share} tenths", ARRAY[: len(ARRAY) * share // 10], "x.json")
    packed = gzip.compress(JSONL * 50)
    for share in range(1, 10, 2):
        yield Hostile(f"gzip cut after {share} tenths", packed[: len(packed) * share // 10], "x.jsonl.gz")
    yield Hostile("gzip without its checksum", packed[:-8], "x.jsonl.gz")
    yield Hostile("gzip with a wrong checksum", packed[:-8] + bytes(8), "x.jsonl.gz")
    yield Hostile("gzip with a broken middle", packed[:40] + bytes(20) + packed[60:], "x.jsonl.gz")
    yield Hostile("gzip and then something else", packed + b"tail" * 10, "x.jsonl.gz")
    yield Hostile("gzip header alone", packed[:10], "x.jsonl.gz")
    yield Hostile("gzip of nothing", gzip.compress(b""), "x.jsonl.gz")
    yield Hostile("gzip in gzip", gzip.compress(packed), "x.jsonl.gz.gz")
    yield Hostile("raw deflate", zlib.compress(JSONL), "x.jsonl.gz")
    yield Hostile("a file that only says it is gzip", TABLE[:3], "x.csv.gz")
    yield Hostile("two gzip members", packed + packed, "x.jsonl.gz", outcome="either")
    yield Hostile("gzip that is not named so", packed, "x.csv", outcome="either")
    bomb = gzip.compress(b"\n" * (40 << 20), 9)
    yield Hostile("a bomb of empty lines", bomb, "x.jsonl.gz")
    yield Hostile("a bomb of one line", gzip.compress(b'{"question":"' + b"a" * (40 << 20), 1), "x.jsonl.gz")
    yield Hostile("a bomb of good rows", gzip.compress(JSONL * (40_000_000 // len(JSONL)), 1), "x.jsonl.gz")


def foreign_kinds() -> Iterator[Hostile]:
    """What is no dataset at all, under names that say it is one."""
    for what, data in _FOREIGN.items():
        yield Hostile(f"{what} named .jsonl", data)
        yield Hostile(f"{what} named .csv", data, "x.csv", outcome="either" if what in ("html", "xml") else "refused")
