"""Which split a row belongs to, and what is collected of each."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from dataset_svc.readers.rows import Fault, Item, ParsedRow
from dataset_svc.splits.assignment import Assignment
from dataset_svc.splits.rules import ByColumn, ByContent, ByPart
from kargah.contracts.datasets import HashSplit
from kargah.domain.splits import SPLITS, split_named
from kargah.formats.registry import format_named


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"question": f"پرسش {number}", "answer": f"پاسخ {number}"} for number in range(first, first + count)]


def parsed(values: list[dict[str, Any]]) -> list[ParsedRow]:
    encoded = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    return [ParsedRow(line, 0, value, raw) for line, (value, raw) in enumerate(zip(values, encoded, strict=True), 1)]


def splits(values: list[dict[str, Any]], rule: ByContent) -> list[str]:
    return [rule.split_of(row) for row in parsed(values)]


def test_a_rows_split_stays_when_rows_are_added_or_moved() -> None:
    rule = ByContent(HashSplit(test=0.1, validation=0.05, seed=7))
    few, many = rows(500), rows(700, first=-200)
    random.Random(1).shuffle(many)

    before = dict(zip(map(str, few), splits(few, rule), strict=True))
    after = dict(zip(map(str, many), splits(many, rule), strict=True))

    assert before == {row: after[row] for row in before}


def test_shares_are_honoured_about_and_another_seed_chooses_others() -> None:
    values = rows(4000)
    first = splits(values, ByContent(HashSplit(test=0.1, validation=0.05, seed=7)))
    other = splits(values, ByContent(HashSplit(test=0.1, validation=0.05, seed=8)))

    assert 320 <= first.count("test") <= 480
    assert 140 <= first.count("validation") <= 260
    assert first.count("train") == 4000 - first.count("test") - first.count("validation")
    assert 10 <= sum(a == b == "test" for a, b in zip(first, other, strict=True)) <= 80


def test_the_same_row_in_other_words_of_json_is_in_the_same_split() -> None:
    rule = ByContent(HashSplit(test=0.5, seed=3))
    for row in rows(50):
        turned = dict(reversed(row.items()))
        spelled = json.dumps(turned, ensure_ascii=True, indent=1).encode()
        assert rule.split_of(ParsedRow(1, 0, turned, spelled)) == rule.split_of(*parsed([row]))


def test_a_larger_test_keeps_the_rows_of_the_smaller_one() -> None:
    values = rows(500)
    small = splits(values, ByContent(HashSplit(test=0.1)))
    large = splits(values, ByContent(HashSplit(test=0.2)))
    assert {n for n, name in enumerate(small) if name == "test"} < {n for n, name in enumerate(large) if name == "test"}


@pytest.mark.parametrize(("said", "meant"), [("Train", "train"), ("dev", "validation"), (" آزمون ", "test")])
def test_columns_may_use_the_usual_names(said: str, meant: str) -> None:
    assert split_named(said) == meant
    assert ByColumn("part").split_of(*parsed([{"part": said}])) == meant


@pytest.mark.parametrize("row", [{}, {"part": "beta"}, {"part": 3}, {"part": None}])
def test_a_row_without_a_split_is_a_fault(row: dict[str, Any]) -> None:
    fault = ByColumn("part").split_of(*parsed([row]))
    assert isinstance(fault, Fault) and (fault.code, fault.field) == ("unknown_split", "part")


def test_what_each_split_holds_is_counted() -> None:
    values = [{"text": f"متن {n}", "label": "a" if n % 3 else "b", "split": SPLITS[n % 3]} for n in range(9)]
    assignment = Assignment(ByColumn("split"), format_named("labelled_text"))
    broken = Fault(10, None, None, "syntax", "not JSON")
    items: list[Item] = [*parsed(values), broken]

    assert list(assignment.watch(items)) == items

    assert list(assignment.places) == [0, 1, 2] * 3
    stats = assignment.stats
    assert list(stats) == list(SPLITS)
    assert {name: stats[name].rows for name in stats} == dict.fromkeys(SPLITS, 3)
    assert stats["train"].share == 0.333333 and stats["train"].labels == {"b": 3}
    assert sum(stats[name].size_bytes for name in stats) == sum(len(row.raw or b"") + 1 for row in parsed(values))


def test_parts_are_what_they_are_said_to_be() -> None:
    rule = ByPart()
    assignment = Assignment(rule, format_named("question_answer"))
    for name, count in (("train", 3), ("test", 2)):
        rule.split = name
        list(assignment.watch(parsed(rows(count))))
    assert list(assignment.places) == [0, 0, 0, 2, 2]
