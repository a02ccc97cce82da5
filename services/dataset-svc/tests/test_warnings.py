"""Warnings and what they remember: digests, near-empty answers, contradictions, repairs of rows."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_svc.checks.digests import DigestMap, DigestSet
from dataset_svc.checks.hashing import digest_of
from dataset_svc.checks.near_empty import is_near_empty
from dataset_svc.checks.pieces import Pieces, digests_of_texts
from dataset_svc.checks.row_digests import LONG, digests_of_lines, row_digests
from dataset_svc.checks.row_texts import texts_of, with_texts
from dataset_svc.checks.statistics import Statistics
from dataset_svc.checks.warnings import Warnings
from dataset_svc.readers.rows import ParsedRow
from dataset_svc.repairs.row_repairs import RowRepairs
from dataset_svc.repairs.service import FIXES, chosen_fixes
from kargah.contracts.datasets import RowWarning
from kargah.domain.errors import Invalid
from kargah.formats.registry import format_named
from kargah.testing.format_samples import SAMPLES


@given(st.lists(st.integers(1, 2**64 - 1) | st.integers(1, 50), max_size=3000))
def test_digests_are_remembered_as_a_set_and_a_map_would(keys: list[int]) -> None:
    compact, plain = DigestSet(10**6), set[int]()
    mapped, known = DigestMap(10**6), dict[int, int]()
    for number, key in enumerate(keys, 1):
        assert compact.add(key) == (key in plain)
        plain.add(key)
        assert mapped.put(key, number) == known.get(key)
        known.setdefault(key, number)
    assert set(compact) == plain


def test_digests_stop_at_their_limit() -> None:
    compact, mapped = DigestSet(2000), DigestMap(2000)
    for key in range(1, 5001):
        compact.add(key)
        mapped.put(key, key)
    assert sorted(compact) == list(range(1, 2001))
    assert (mapped.full, mapped.put(2000, 1), mapped.put(2001, 1)) == (True, 2000, None)
    assert digest_of(b"") > 0


@pytest.mark.parametrize("answer", ["", "...", " - ", "؟!", "NULL", "n/a", "\u200c", "«»"])
def test_answers_that_say_nothing(answer: str) -> None:
    assert is_near_empty(answer)


@pytest.mark.parametrize("answer", ["بله", "۵", "7", "+", "👍", "ب", "none", "null pointer"])
def test_short_answers_that_say_something(answer: str) -> None:
    assert not is_near_empty(answer)


def warned(rows: list[dict[str, Any]], name: str) -> dict[str, RowWarning]:
    warnings = Warnings(format_named(name))
    for number, row in enumerate(rows, 1):
        warnings.add(ParsedRow(number, number * 10, row), json.dumps(row).encode())
    return {warning.code: warning for warning in warnings.view(Statistics())}


def test_one_question_with_several_answers() -> None:
    rows = [{"question": question, "answer": str(number)} for number, question in enumerate("aabbc")]
    found = warned([*rows, rows[0]], "question_answer")
    assert (found["different_answers"].count, found["different_answers"].line) == (2, 2)


def test_only_the_first_places_are_kept() -> None:
    found = warned([{"text": "كتاب"}] * 50, "text")
    assert (found["duplicate_rows"].count, len(found["duplicate_rows"].places)) == (49, 5)
    assert found["arabic_kaf"].count == 50
    assert "(50 in all)" in found["arabic_kaf"].message


def test_texts_are_found_and_changed_at_any_depth_but_not_references() -> None:
    row = {"messages": [{"role": "كاربر", "content": [{"type": "text", "text": "ك"}]}], "n": 1, "url": "ك", "x": ["ك"]}
    assert list(texts_of(row)) == [("messages[0].content[0].text", "ك"), ("x[0]", "ك")]
    changed = with_texts(row, lambda field, text: f"{field}!")
    assert [text for _, text in texts_of(changed)] == ["messages[0].content[0].text!", "x[0]!"]
    assert (changed["url"], changed["n"], changed["messages"][0]["role"]) == ("ك", 1, "كاربر")


@pytest.mark.parametrize("name", list(SAMPLES))
def test_good_rows_of_every_format_keep_their_bytes(name: str) -> None:
    lines = [json.dumps(row, ensure_ascii=False, indent=None).encode() + b"\n" for row in SAMPLES[name]]
    work = RowRepairs(format_named(name), FIXES)
    assert [row.raw for row in work.items(lines)] == [line.strip() for line in lines]
    assert work.untouched


def test_fixes_are_named_in_the_order_of_their_work() -> None:
    assert chosen_fixes(["digits", "unicode"], divided=False) == ["unicode", "digits"]
    assert chosen_fixes(["all"], divided=True) == list(FIXES)
    assert chosen_fixes(["all"], divided=False) == [fix for fix in FIXES if fix != "leakage"]
    for name, told in (("halfspace", "half-space"), ("leakage", "no splits")):
        with pytest.raises(Invalid, match=told):
            chosen_fixes([name], divided=False)


rows = st.fixed_dictionaries(
    {"text": st.text(alphabet="كتاب هامی رود.١5۵\u200c\u200fe\u0301`", min_size=1, max_size=12)}
)


@given(st.lists(rows, max_size=12), st.sets(st.sampled_from(FIXES), min_size=1))
def test_repairing_rows_twice_changes_nothing_more(given_rows: list[dict[str, Any]], fixes: set[str]) -> None:
    text = format_named("text")
    lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in given_rows if not text.validate(row)]
    first = RowRepairs(text, fixes)
    once = [row.raw or b"" for row in first.items(lines)]
    again = RowRepairs(text, fixes)
    assert [row.raw for row in again.items(once)] == once
    assert again.untouched
    assert first.rows - first.dropped == len(once)


def test_digests_tell_pieces_apart_and_know_them_again_wherever_they_lie() -> None:
    words = [b"", b"a", b"a\0", b"12345678", b"1234567", b"1234567812345678", b"a" * 200_000, b"a" * 200_001]
    words += [b"one word" + b"two word", b"two word" + b"one word", b"x" * 9, b"x" * 8 + b"y"]
    whole = Pieces.of(words)
    found = whole.digests().tolist()
    assert len(set(found)) == len(words) and 0 not in found
    shifted = Pieces.of([b"?", *reversed(words)]).digests().tolist()
    assert shifted[:0:-1] == found
    assert whole.at(np.array([4, 8])).digests().tolist() == [found[4], found[8]]


def test_digests_hang_on_no_other_piece() -> None:
    texts = [bytes(range(size % 251)) + b"y" * (size // 251) + ending for size in range(300) for ending in (b"", b"\0")]
    whole = Pieces.of(texts)
    found = whole.digests().tolist()
    assert len(set(found)) == len(set(texts)) and 0 not in found
    assert [Pieces.of([text]).digests().item() for text in texts] == found
    rows = [b'{"a":"%b"}' % text for text in texts] + [b"{}", b'{"":1}', b'{"a":"' + b'\\""' * LONG]
    known = row_digests(Pieces.of(rows)).tolist()
    assert [row_digests(Pieces.of([row])).item() for row in rows] == known
    assert len(set(known)) == len(set(rows)) and 0 not in known
    assert digests_of_texts(texts).tolist() == found
    assert digests_of_lines(rows).tolist() == known


def test_pieces_are_measured_in_characters() -> None:
    texts = ["", "a", "سلام", "می‌روم", "😀x", "漢字" * 50]
    pieces = Pieces.of(text.encode() for text in texts)
    assert pieces.characters().tolist() == [len(text) for text in texts]
    assert pieces.are("سلام".encode()).tolist() == [text == "سلام" for text in texts]
