"""The Persian corpus of chatterbot-corpus as question/answer rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kargah.formats.registry import format_named
from worker.imports.chatterbot import read_corpus
from worker.imports.errors import ImportFailed
from worker.imports.rows import write_rows


def test_every_row_is_a_valid_pair_once() -> None:
    rows = list(read_corpus())
    assert len(rows) > 2000
    assert {row["category"] for row in rows} >= {"greetings", "science", "conversations"}
    assert [row for row in rows if format_named("question_answer").validate(row)] == []
    assert len({(row["question"], row["answer"]) for row in rows}) == len(rows)


def test_turns_of_a_conversation_answer_each_other() -> None:
    pairs = {(row["question"], row["answer"]) for row in read_corpus() if row["category"] == "conversations"}
    assert ("من عالی م، تو چطوری؟", "من هم خیلی خوبم.") in pairs
    assert ("صبح بخیر، حالت چطوره؟", "من هم خیلی خوبم.") not in pairs


def test_rows_are_written_as_json_lines(tmp_path: Path) -> None:
    target = tmp_path / "persian.jsonl"
    count = write_rows(target, read_corpus())
    lines = target.read_text(encoding="utf-8").splitlines()
    assert len(lines) == count
    assert set(json.loads(lines[0])) == {"question", "answer", "category"}


def test_unknown_language_is_told() -> None:
    with pytest.raises(ImportFailed, match="klingon"):
        next(read_corpus("klingon"))
