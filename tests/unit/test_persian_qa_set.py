"""The Persian question/answer set that ships with the project keeps its promises."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from kargah.formats.spelling.repairs import find_faults

FOLDER = Path(__file__).parents[2] / "examples" / "persian-qa"
FIELDS = ("question", "answer", "topic")
# Faults of spacing that need no dictionary, beyond those that find_faults knows.
BAD_SPACING = re.compile(r"^\s|\s$|\s\s|[^\S ]|\s[.،؛؟:»]|«\s|[،؛](?! )")
NEARLY_THE_SAME = 0.6


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    text = (FOLDER / "persian_qa.jsonl").read_bytes().decode("utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.removesuffix("\n").split("\n")]


def test_every_row_has_the_three_fields_filled(rows: list[dict[str, str]]) -> None:
    assert len(rows) >= 300
    for row in rows:
        assert tuple(row) == FIELDS
        assert all(isinstance(value, str) and value.strip() for value in row.values()), row


def test_the_checker_finds_no_fault(rows: list[dict[str, str]]) -> None:
    assert [(row, issue) for row in rows for value in row.values() for issue in find_faults(value)] == []


def test_spelling_is_persian_throughout(rows: list[dict[str, str]]) -> None:
    for value in (value for row in rows for value in row.values()):
        assert value == unicodedata.normalize("NFC", value)
        assert not BAD_SPACING.search(value), value
        assert not re.search("[0-9?,;\"']", value), value


def test_questions_ask_and_answers_are_short_sentences(rows: list[dict[str, str]]) -> None:
    for row in rows:
        assert row["question"].endswith("؟"), row
        assert row["answer"].endswith("."), row
        assert 25 <= len(row["answer"]) <= 160, row


def test_nothing_is_asked_or_answered_twice(rows: list[dict[str, str]]) -> None:
    for field in ("question", "answer"):
        counts = Counter(row[field] for row in rows)
        assert [value for value, count in counts.items() if count > 1] == []


def test_no_two_rows_are_nearly_the_same(rows: list[dict[str, str]]) -> None:
    words = [frozenset(f"{row['question']} {row['answer']}".split()) for row in rows]
    pairs = combinations(range(len(rows)), 2)
    close = [(i, j) for i, j in pairs if len(words[i] & words[j]) > NEARLY_THE_SAME * len(words[i] | words[j])]
    assert [(rows[i], rows[j]) for i, j in close] == []


def test_topics_are_many_and_none_is_thin(rows: list[dict[str, str]]) -> None:
    topics = Counter(row["topic"] for row in rows)
    assert len(topics) >= 8
    assert min(topics.values()) >= 20


def test_the_readme_gives_the_true_counts(rows: list[dict[str, str]]) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    to_persian = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
    for topic, count in Counter(row["topic"] for row in rows).items():
        assert f"| {topic} | {str(count).translate(to_persian)} |" in readme
    assert str(len(rows)).translate(to_persian) in readme
