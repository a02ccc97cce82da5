"""Blocks checked by columns give what their rows give one by one: bytes, statistics, warnings, index and refusals."""

from __future__ import annotations

import io
import json
import random
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from dataset_svc import kernels
from dataset_svc.checks import checked_rows, scripts, statistics, warnings
from dataset_svc.checks.checked_rows import CheckedRows
from dataset_svc.checks.pieces import Pieces
from dataset_svc.checks.quick import look
from dataset_svc.checks.quick.plan import plan_for
from dataset_svc.checks.row_digests import LONG, row_digests
from dataset_svc.readers.jsonl import JsonLines
from dataset_svc.readers.line_blocks import Block
from dataset_svc.readers.source import open_source
from kargah.domain.errors import DomainError, Invalid
from tests.hostile.corpus import corpus

WORDS = ["سلام", "کتاب", "می‌روم", "علي", "the", "model", "n", "12", "۱۲", "é", "😀", "\n", '"', "\\", "漢字", "null"]
PLAIN = ["سلام", "کتاب", "می‌روم", "علي", "the", "model", "no", "12", "۱۲", "漢字", "...", "ٹہ"]
SPOILS = ["\x01", "\t", "\x7f", "\udcff", "\\ud800", "\\u0000", "\\q", "\\u06a9", '\\"', '"', "\\", "\\\\"]
BLANK = ["", " ", "\u200c", "\u3000", "...", "N/A", "nan", "≈", "؟", "\u2028"]
COMPILED = kernels.PRESENT
Row = dict[str, Any]


def words(chance: random.Random) -> str:
    return " ".join(chance.choices(WORDS, k=chance.randint(1, 9)))


def conversation(chance: random.Random, who: str, what: str, user: str, assistant: str) -> list[Row]:
    first = [{who: "system", what: chance.choice([words(chance), ""])}] if chance.random() < 0.3 else []
    rounds = ({who: role, what: words(chance)} for _ in range(chance.randint(1, 3)) for role in (user, assistant))
    return [*first, *rounds]


SHAPES: dict[str, Callable[[random.Random], Row]] = {
    "messages": lambda c: {"id": words(c), "messages": conversation(c, "role", "content", "user", "assistant")},
    "messages_alone": lambda c: {"messages": conversation(c, "role", "content", "user", "assistant")},
    "sharegpt": lambda c: {"conversation": conversation(c, "from", "value", "human", "gpt")},
    "question_answer": lambda c: {"سوال": words(c), "پاسخ": words(c), "n": c.randint(-9, 9), "x": c.random()},
    "with_context": lambda c: {"context": words(c), "question": words(c), "answer": words(c)},
    "prompt_completion": lambda c: {"prompt": words(c), "completion": words(c), "tags": c.choices(WORDS, k=2)},
    "alpaca": lambda c: {"instruction": words(c), "input": c.choice(["", words(c)]), "output": words(c)},
    "text": lambda c: {"text": words(c), "good": c.random() < 0.5},
    "labelled_text": lambda c: {"text": words(c), "label": c.choice([" بد", "خوب", "no" * 150])},
    "numbered_text": lambda c: {"text": words(c), "label": c.randint(0, 3)},
    "preference": lambda c: {"prompt": words(c), "chosen": words(c), "rejected": words(c) + "!"},
}


SCANNED = ("messages_alone", "sharegpt", "with_context", "alpaca", "labelled_text")
"""Shapes whose rows may differ in nothing but their texts."""


def odd(chance: random.Random, row: Row, line: str) -> str:
    """A line that is not quite like the others; some are good, some are faults."""
    name = chance.choice(list(row))
    changed = [
        lambda: json.dumps(row | {name: chance.choice([None, 1, 1.5, True, [], {}, "", 10**30])}),
        lambda: json.dumps({key: value for key, value in row.items() if key != name}),
        lambda: json.dumps(dict(reversed(row.items()))),
        lambda: json.dumps(row | {"more": chance.choice(BLANK)}, ensure_ascii=False),
        lambda: json.dumps({key: said(value, chance.choice(BLANK)) for key, value in row.items()}, ensure_ascii=False),
        lambda: json.dumps(row, separators=(",", ":")),
        lambda: line[:-1] + f', "{name}": "twice"}}',
        lambda: line + chance.choice([" ", "\r", "\t", "\n", "\n\n", ",", "}", line, " // no", "\x00"]),
        lambda: chance.choice(["[", "{", "", "null", "{}", "[]", "\ufeff"]) + line,
        lambda: line.replace(" ", chance.choice(["\x01", "\\ud800", "\\u0000", "\\q", "\\u06a9", "NaN"]), 1),
        lambda: line[: chance.randrange(len(line))],
        lambda: inside(line, chance.choice(SPOILS)),
        lambda: line.replace(chance.choice('":{},'), chance.choice('":{}, '), 1),
        lambda: line.replace(name, name[::-1], 1),
        lambda: line.replace(": ", chance.choice([":\n", ": NaN, ", ":1e999,", " "]), 1),
    ]
    return chance.choice(changed)()


def inside(line: str, more: str) -> str:
    """The line with this at the end of its last text."""
    end = line.rindex('"')
    return line[:end] + more + line[end:]


def said(value: Any, blank: str) -> Any:
    """The last text of it put in place by a blank one."""
    if isinstance(value, list) and isinstance(value[-1], dict):
        last = value[-1]
        return [*value[:-1], {**last, list(last)[-1]: blank}]
    return blank if isinstance(value, str) else value


def lines(chance: random.Random, shape: str, rows: int, odds: float) -> bytes:
    made: list[str] = []
    ascii_alone = chance.random() < 0.15
    for _ in range(rows):
        row = SHAPES[shape](chance)
        line = json.dumps(row, ensure_ascii=ascii_alone)
        if made and chance.random() < odds:
            line = chance.choice([chance.choice(made), odd(chance, row, line)])
        made.append(line)
    data = "\n".join(made).encode("utf-8", "surrogatepass") + chance.choice([b"\n", b"", b" "])
    if chance.random() < odds:
        place = chance.randrange(len(data))
        data = data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :]
    return data


def outcome(items: Iterator[Any], **given: Any) -> dict[str, Any]:
    """All that a version or a refusal consists of."""
    try:
        checked = CheckedRows(items, given.get("format"), {})
        stored = b"".join(checked.lines())
    except DomainError as error:
        errors = [asdict(one) for one in error.errors] if isinstance(error, Invalid) else []
        return {"refused": str(error), "hint": error.hint, "errors": errors}
    stats = checked.statistics.view()
    return {
        "format": checked.format.name,
        "stored": stored,
        "stats": (stats.model_dump(), stats.fields, list(stats.labels), list(stats.field_stats)),
        "warnings": [warning.model_dump() for warning in checked.warnings.view(checked.statistics)],
        "index": checked.index,
    }


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of some kilobytes meet every bound that large ones do."""
    monkeypatch.setattr(warnings, "CHARACTERS", 300)
    monkeypatch.setattr(warnings, "REMEMBERED", 40)
    monkeypatch.setattr(statistics, "MAX_LABELS", 3)
    monkeypatch.setattr(scripts, "_ALL_ROWS", 25)
    monkeypatch.setattr(checked_rows, "SAMPLE_ROWS", 5)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were taken by blocks."""
    counts: list[int] = []
    take = CheckedRows._take

    def counted(self: CheckedRows, *parts: Any) -> int:
        counts.append(len(parts[2].sizes))
        return take(self, *parts)

    monkeypatch.setattr(CheckedRows, "_take", counted)
    return counts


@pytest.fixture
def scanned(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of which blocks the texts were found by comparing bytes."""
    found: list[bool] = []
    scan = look.scan

    def noted(*parts: Any) -> Any:
        result = scan(*parts)
        found.append(result is not None)
        return result

    monkeypatch.setattr(look, "scan", noted)
    return found


@pytest.mark.parametrize("shape", SHAPES)
def test_both_ways_give_the_same(
    shape: str, taken: list[int], scanned: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(24):
        monkeypatch.setattr(kernels, "PRESENT", COMPILED and seed % 3 > 0)  # else numpy does the same
        chance = random.Random(f"{shape} {seed}")
        monkeypatch.setattr(warnings, "CHARACTERS", chance.choice([30, 900, 3000, 1 << 20]))
        data = lines(chance, shape, chance.randint(5, 120), chance.choice([0, 0, 0.02, 0.2]))
        size = 100 if seed % 12 == 0 else chance.choice([400, 1000, 3000])  # small blocks take long
        by_row = outcome(item for item in JsonLines(io.BytesIO(data), 0))
        assert outcome(JsonLines(io.BytesIO(data), 0, size)) == by_row, (shape, seed)
    assert (sum(taken) > 40) == (shape != "preference")
    assert (sum(scanned) > 10) == (shape in SCANNED), sum(scanned)
    assert (len(scanned) - sum(scanned) > 20) == (shape != "preference")


@pytest.mark.parametrize("shape", SCANNED)
def test_one_odd_line_among_plain_ones_is_seen(
    shape: str, scanned: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "WORDS", PLAIN)
    for seed in range(2 * len(SPOILS)):
        monkeypatch.setattr(kernels, "PRESENT", COMPILED and seed % 4 > 0)
        chance = random.Random(f"{shape} {seed}")
        made = [json.dumps(SHAPES[shape](chance), ensure_ascii=False) for _ in range(40)]
        place = chance.randrange(15, 40)
        spoil = SPOILS[seed // 2]
        line = made[place]
        made[place] = inside(line, spoil) if seed % 2 else odd(chance, json.loads(line), line)
        data = "\n".join(made).encode("utf-8", "surrogatepass") + b"\n"
        by_row = outcome(item for item in JsonLines(io.BytesIO(data), 0))
        assert outcome(JsonLines(io.BytesIO(data), 0, 1000)) == by_row, (shape, seed)
    assert sum(scanned) > 40


@pytest.mark.parametrize("shape", SCANNED)
def test_rows_have_one_digest_whichever_way_they_were_read(
    shape: str, scanned: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "WORDS", [*PLAIN[:6], 'a "b"', "c\nd"])
    for seed, longest in ((1, 0), (2, 0), (3, LONG)):
        monkeypatch.setattr(kernels, "PRESENT", COMPILED and seed != 2)
        chance = random.Random(f"{shape} {seed}")
        rows = [SHAPES[shape](chance) for _ in range(60)]
        rows[7] = json.loads(json.dumps(rows[7]).replace('"}', "s" * longest + '"}'))
        lines = [json.dumps(row, ensure_ascii=False).encode() for row in rows]
        plan = plan_for(shape.replace("_alone", "").replace("with_context", "question_answer"), rows[0])
        assert plan is not None
        found = look.look(Block(1, 0, b"\n".join(lines) + b"\n"), plan, 0)
        assert found is not None
        assert found.rows.tolist() == [row_digests(Pieces.of([line])).item() for line in lines]
    assert scanned == [True] * 3


def talk(*turns: tuple[str, str]) -> Row:
    return {"messages": [{"role": role, "content": text} for role, text in turns]}


def asked(question: str, answer: str) -> Row:
    return {"question": question, "answer": answer}


@pytest.mark.parametrize(
    ("good", "odd_one"),
    [
        (talk(("user", "q"), ("assistant", "a")), talk(("user", "q"), ("machine", "a"))),
        (talk(("user", "q"), ("assistant", "a")), talk(("user", "q"), ("assistant", "a"), ("user", "b"))),
        (talk(("user", "q"), ("assistant", "a")), talk(("robot", "q"), ("assistant", "a"))),
        (talk(("user", "q"), ("assistant", "a")), talk(("user", " "), ("assistant", "a"))),
        (talk(("user", "q"), ("assistant", "a")), talk(("system", ""), ("user", "q"), ("assistant", "a"))),
        (talk(("user", "q"), ("assistant", "a")), talk(("user", "a"), ("assistant", "b"), ("user", "c"))),
        *((asked("q", "a"), asked("q", answer)) for answer in ("undefined", "Undefined", "null", "NaN", "n/a", "#N/A")),
        (asked("q", "a"), asked("q", "\u2028")),
        (asked("q", "a"), asked("\u00a0\u2003", "a")),
    ],
)
def test_rows_of_one_shape_that_mean_something_else(
    good: Row, odd_one: Row, scanned: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only its texts tell: roles, blanks, words for nothing; and what is asked again with another answer."""
    monkeypatch.setattr(warnings, "CHARACTERS", 30)
    rows = [json.loads(json.dumps(good).replace('"q"', f'"q{number}"')) for number in range(60)]
    rows[40] = odd_one
    if "messages" in good:
        turns = [("user", "x"), ("assistant", "y"), ("user", "z")]
        rows[50:52] = [talk(*turns, ("assistant", answer)) for answer in ("one", "two")]
        rows[52] = talk(("user", "x y z"), ("assistant", "three"))
    data = b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)
    found = outcome(JsonLines(io.BytesIO(data), 0, 150))
    assert found == outcome(item for item in JsonLines(io.BytesIO(data), 0))
    assert any(scanned)


def test_hostile_files_are_refused_alike() -> None:
    compared = 0
    for case in corpus():
        if len(case.data) > 1 << 18:
            continue  # they say nothing more here, and take their time
        outcomes = []
        for blocks in (True, False):
            try:
                source = open_source(io.BytesIO(case.data), case.filename, 1 << 18)
            except DomainError:
                continue
            items = source.reader(source.stream, source.start)
            if isinstance(items, JsonLines):
                small = JsonLines(source.stream, source.start, 512 + len(case.data) // 8)
                outcomes.append(outcome(small if blocks else (item for item in small)))
        assert outcomes[:1] == outcomes[1:], case.name
        compared += len(outcomes) > 1
    assert compared > 50


def test_a_file_that_cannot_be_read_on_is_told_after_what_was_read(taken: list[int]) -> None:
    data = b"".join(b'{"question": "q%d", "answer": "a"}\n' % number for number in range(900))

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            found = super().read(size)
            if not found:
                raise OSError("the store is gone")
            return found

    checked, stored = CheckedRows(JsonLines(Broken(data), 0, 1000), None, {}), b""
    with pytest.raises(OSError, match="the store is gone"):
        for piece in checked.lines():
            stored += piece
    assert data.startswith(stored)
    assert len(data) - len(stored) < 1000
    assert sum(taken) > 100


def test_rows_that_end_are_not_read_on() -> None:
    """Who stops early leaves no thread behind."""
    data = b'{"text": "a"}\n' * 900
    piece = CheckedRows(JsonLines(io.BytesIO(data), 0, 500), None, {}).lines()
    assert next(piece)
    piece.close()
    assert not any(thread.name.startswith(("look", "read")) for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("question_answer", {"Question": "a", "QUESTION": "b", "answer": "c"}),  # which it is hangs on the order
        ("question_answer", {"question": "a", "answer": "1", "candidates": ["x"]}),
        ("messages", {"messages": [{"role": "user", "content": "a", "weight": 1}]}),
        ("text", {"text": "a", "inner": {"b": 1}}),
        ("text", {"text": "a", "n": 1 << 70}),
        ("kto", {"prompt": "a", "completion": "b", "label": True}),
    ],
)
def test_what_columns_cannot_say_for_certain_has_no_plan(name: str, row: Row) -> None:
    assert plan_for(name, row) is None
