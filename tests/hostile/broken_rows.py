"""Nesting, numbers, long things, tables, duplicate keys, and rows of the wrong shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kargah.testing.format_samples import SAMPLES
from tests.hostile.case import GOOD, JSONL, TABLE, Hostile, array, jsonl, row

_NUMBERS = {
    "1e400": "not finite", "-1e400": "not finite", "NaN": "", "Infinity": "", "-Infinity": "", "1" * 5000: "",
    "01": "", "0x10": "", "1.": "", ".5": "", "+1": "", "1e": "", "--1": "", "1_000": "", "١": "",
}  # fmt: skip
_NO_ROWS = {
    "nothing": b"", "blanks": b"  \t ", "newlines": b"\n\r\n\n", "a byte-order mark": b"\xef\xbb\xbf", "[]": b"[]",
    "{}": b"{}", "null": b"null\nnull", "[null]": b"[null,null]", "[[]]": b"[[],[]]", "texts": b'"a"\n"b"',
    "numbers": b"1\n2\n3", "true": b"true\ntrue", "{} twice": b"{}\n{}", "one row": GOOD, "an opening": b"[",
    "a closing": b"]", "an opening brace": b"{",
}  # fmt: skip
_NOT_JSON = {
    "a trailing comma": b'{"question":"a","answer":"b",}',
    "single quotes": b"{'question':'a','answer':'b'}",
    "a comment": b'{"question":"a","answer":"b"} // good',
    "bare keys": b'{question:"a",answer:"b"}',
    "no comma": b'{"question":"a" "answer":"b"}',
    "a raw newline escaped wrongly": b'{"question":"a\tb","answer":"b"}',
    "a wrong escape": b'{"question":"\\x41","answer":"b"}',
    "a cut escape": b'{"question":"\\u00',
    "two rows": b'{"question":"a","answer":"b"}{"question":"a","answer":"b"}',
    "no colon": b'{"question" "a"}',
    "an open string": b'{"question":"a',
    "Python": b"{'question': None, 'answer': True}",
}
_TABLES = {
    "too few cells": TABLE + b"one\n",
    "too many cells": TABLE + b"one,two,three\n",
    "a quote never closed": TABLE + b'"one,two\nthree,four\n',
    "a quote in the middle": TABLE + b'"one"x,two\n',
    "a column twice": b"question,answer,answer\na,b,c\na,b,c\n",
    "a column without a name": b"question,,answer\na,b,c\na,b,c\n",
    "1001 columns": b",".join(b"c%d" % n for n in range(1001)) + b"\n",
    "a header alone": b"question,answer\n",
    "commas alone": b",,,\n,,,\n",
    "other columns": b"x,y\n1,2\n3,4\n",
    "an empty cell": TABLE + b",b\n",
    "carriage returns alone": b"question,answer\ra,b\rc,d\r",
    "a row of another separator": TABLE + "الف;ب\n".encode(),
}
_FORMULAS = b'question,answer\n=1+1,"=cmd|\' /C calc\'!A0"\n@SUM(A1),+98\n-2+3,"=HYPERLINK(""http://x"")"\n'
_ODD: list[Any] = [None, True, 3, 1.5, [], {}, "", " ", [""], [None], {"a": 1}, [[]], ["a", 1]]


def nesting() -> Iterator[Hostile]:
    """Deeper than anybody needs."""
    for depth in (65, 1000, 100_000):
        arrays = b'{"question":"a","answer":"b","c":' + b"[" * depth + b"]" * depth + b"}"
        objects = b'{"question":"a","answer":"b","c":' + b'{"c":' * depth + b"1" + b"}" * depth + b"}"
        for what, deep in {"arrays": arrays, "objects": objects, "open arrays": b"[" * depth}.items():
            yield jsonl(f"{depth} {what}", deep)
            yield array(f"{depth} {what}", deep)


def numbers() -> Iterator[Hostile]:
    """Numbers that are none, or more than a computer holds."""
    for number in _NUMBERS:
        text = f'{{"question":"a","answer":"b","n":{number}}}'.encode()
        yield jsonl(f"the number {number[:12]}", text)
        yield array(f"the number {number[:12]}", text)


def long_things() -> Iterator[Hostile]:
    """Longer than a row may be."""
    long = "x" * (9 << 20)
    yield jsonl("a long line", row(question=long, answer="b"))
    yield array("a long element", row(question=long, answer="b"))
    yield Hostile("csv: a long cell", TABLE + f"{long},b\n".encode(), "x.csv")
    yield Hostile("csv: a long quoted cell of lines", TABLE + b'"' + b"x\n" * (5 << 20), "x.csv")
    yield Hostile("txt: a long line", f"a\n{long}\n".encode(), "x.txt")
    yield jsonl("a long key", b'{"' + long.encode() + b'":1,"question":"a","answer":"b"}')
    yield jsonl("2,000 keys", row(question="a", answer="b", **{f"k{n}": n for n in range(2000)}))
    yield jsonl("a key of a megabyte", row(question="a", answer="b", **{"k" * (1 << 20): 1}), outcome="either")
    yield Hostile("50,000 bad lines", GOOD + b"\n" + b"{oops\n" * 50_000)


def tables() -> Iterator[Hostile]:
    """Tables with rough edges, and cells that a spreadsheet would run."""
    for what, data in _TABLES.items():
        yield Hostile(f"csv: {what}", data, "x.csv")
    wide = ",".join(["question", "answer", *(f"{number}{'x' * 1000}" for number in range(900))])
    yield Hostile("csv: a bomb of a wide header", f"{wide}\n{('a,b' + ',' * 900 + chr(10)) * 100}".encode(), "x.csv")
    yield Hostile("csv: formulas", _FORMULAS, "x.csv", outcome="accepted")
    yield Hostile("csv: mixed line ends", TABLE.replace(b"\n", b"\r\n", 1), "x.csv", outcome="accepted")
    yield Hostile("jsonl: mixed line ends", GOOD + b"\r\n\r\n" + JSONL, outcome="accepted")


def no_json() -> Iterator[Hostile]:
    """No rows, no JSON, the same key twice."""
    for what, data in _NO_ROWS.items():
        yield Hostile(f"{what} as .jsonl", data)
        yield Hostile(f"{what} as .json", data, "x.json")
    for what, data in _NOT_JSON.items():
        yield jsonl(what, data)
        yield array(what, data)
    for what, data in {
        "a key twice": b'{"question":"a","question":"b","answer":"c"}',
        "a key twice, once escaped": b'{"question":"a","\\u0071uestion":"b","answer":"c"}',
        "a key twice inside": b'{"question":"a","answer":"c","m":{"x":1,"x":1}}',
    }.items():
        yield jsonl(what, data)
        yield array(what, data)
    yield Hostile("json: two arrays", b"[" + GOOD + b"][" + GOOD + b"]", "x.json")
    yield Hostile("json: text behind the array", b"[" + GOOD + b"," + GOOD + b"] x", "x.json")
    yield Hostile("json: a comma at the end", b"[" + GOOD + b"," + GOOD + b",]", "x.json")


def wrong_shapes() -> Iterator[Hostile]:
    """Every required field of every format, holding something else; and rows of several formats in one file."""
    for name, (good, _) in SAMPLES.items():
        for field in good:
            if field in ("context", "input"):
                continue
            lines = [json.dumps(good | {field: value}).encode() for value in _ODD]
            data = json.dumps(good).encode() + b"\n" + b"\n".join(lines)
            yield Hostile(f"{name}: odd values of {field}", data, query={"format": name})
        missing = [json.dumps({key: value for key, value in good.items() if key != field}) for field in good]
        yield Hostile(f"{name}: fields that are not there", "\n".join(missing).encode(), query={"format": name})
    mixed = "\n".join(json.dumps(rows[0]) for rows in SAMPLES.values())
    yield Hostile("a row of every format", mixed.encode())
