"""Checks of whole files: mapping, statistics, warnings, the index, and what is refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_svc.checks.checked_rows import CheckedRows, row_json
from dataset_svc.checks.mapping import parse_mapping
from dataset_svc.checks.row_index import RowIndex
from dataset_svc.checks.statistics import MAX_FIELDS, MAX_LABELS, Statistics
from dataset_svc.checks.streams import Digest, HashedStream, LinesStream
from dataset_svc.readers.rows import Fault, Item, ParsedRow
from kargah.domain.errors import BadRequest, Invalid, TooLarge
from kargah.formats.base import LabelledText


def parsed(*rows: dict[str, Any]) -> list[Item]:
    return [ParsedRow(number, number * 100, row) for number, row in enumerate(rows, 1)]


def checked(items: list[Item], **options: Any) -> tuple[CheckedRows, list[dict[str, Any]]]:
    found = CheckedRows(items, options.get("format_name"), options.get("mapping", {}))
    lines = list(found.lines())
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    return found, [json.loads(line) for line in lines]


def refused(items: list[Item], **options: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        checked(items, **options)
    return caught.value


QA = {"question": "چه؟", "answer": "این"}


def test_good_rows_come_out_as_they_are() -> None:
    found, rows = checked(parsed(QA, QA | {"n": 1, "tags": ["a", "b"]}, QA | {"note": None}))
    assert rows == [QA, QA | {"n": 1, "tags": ["a", "b"]}, QA | {"note": None}]
    stats = found.statistics.view()
    assert (found.format.name, stats.rows, stats.fields) == (
        "question_answer", 3, ["question", "answer", "n", "tags", "note"],
    )  # fmt: skip
    assert stats.field_stats["tags"] == {"count": 1, "empty": 0, "minItems": 2, "meanItems": 2, "maxItems": 2}
    assert stats.field_stats["note"] == {"count": 1, "empty": 1}
    assert stats.size_bytes == sum(len(row_json(row)) + 1 for row in rows)


def test_faults_and_field_errors_are_told_together() -> None:
    items = [*parsed(QA, {"question": 1, "answer": ""}, QA), Fault(4, 400, None, "syntax", "not JSON")]
    error = refused(items)
    assert [(e.field, e.code, e.line, e.byte_offset) for e in error.errors] == [
        ("question", "wrong_type", 2, 200),
        ("answer", "empty", 2, 200),
        ("row", "syntax", 4, 400),
    ]
    assert (error.total_errors, error.rows) == (3, 4)


def test_file_of_faults_alone_tells_them() -> None:
    faults: list[Item] = [Fault(number, None, None, "syntax", "not JSON") for number in range(1, 301)]
    error = refused(faults)
    assert (len(error.errors), error.total_errors) == (20, 300)


def test_reading_stops_where_nothing_is_right() -> None:
    def endless() -> Iterator[Item]:
        while True:
            yield Fault(1, None, None, "syntax", "not JSON")

    for items in (endless(), chain(parsed(QA), endless())):
        with pytest.raises(Invalid, match="at least 100,000 problems"):
            list(CheckedRows(items, None, {}).lines())


def test_unknown_columns_tell_what_would_do() -> None:
    error = refused(parsed({"foo": "1"}, {"foo": "2"}))
    assert "foo" in error.message
    assert "question_answer: question, answer, context" in (error.hint or "")


def test_chosen_format_wins_over_the_recognised_one() -> None:
    rows = parsed({"text": "a", "label": "x"}, {"text": "b", "label": "y"})
    assert checked(rows)[0].format.name == "labelled_text"
    assert checked(rows, format_name="text")[0].format.name == "text"


def test_mapping_renames_and_keeps_the_rest() -> None:
    mapping = parse_mapping(" question:س , answer: ج", None)
    _, rows = checked(parsed({"س": "1", "x": "y", "ج": "2"}, {"س": "3", "ج": "4"}), mapping=mapping)
    assert rows == [{"question": "1", "x": "y", "answer": "2"}, {"question": "3", "answer": "4"}]


def test_mapping_can_swap_columns() -> None:
    mapping = parse_mapping("question:answer,answer:question", None)
    _, rows = checked(parsed(QA, QA), mapping=mapping)
    assert rows[0] == {"question": "این", "answer": "چه؟"}


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [({"answer": "a"}, "س", "missing"), ({"س": "q", "question": "q", "answer": "a"}, "question", "column_taken")],
)
def test_mapping_that_does_not_fit_a_row(row: dict[str, Any], field: str, code: str) -> None:
    error = refused(parsed({"س": "q", "answer": "a"}, row), mapping={"question": "س"})
    assert [(e.field, e.code, e.line) for e in error.errors] == [(field, code, 2)]


@pytest.mark.parametrize("text", ["question", "question:", ":x", "question:a,question:b", "question:a,answer:a", "x:a"])
def test_bad_mappings_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_mapping(text, None)
    assert caught.value.errors[0].field == "map"


def test_mapping_knows_the_fields_of_the_chosen_format() -> None:
    with pytest.raises(Invalid, match="messages"):
        parse_mapping("question:a", "messages")


def test_too_few_rows_and_nothing_to_learn() -> None:
    assert refused(parsed(QA)).errors[0].code == "too_few_rows"
    turns: list[dict[str, Any]] = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}]
    assert refused(parsed(*[{"messages": turns}] * 3)).errors[0].code == "all_masked"
    trained = [turns[0], turns[1] | {"weight": 1}]
    assert checked(parsed({"messages": turns}, {"messages": trained}))[0].statistics.trained == 1


def test_fields_and_labels_are_bounded() -> None:
    rows = [{"text": "t", "label": "l", f"f{number}": "x"} for number in range(MAX_FIELDS + 1)]
    assert refused(parsed(*rows)).errors[0].code == "too_many_fields"
    statistics = Statistics()
    for number in range(MAX_LABELS + 5):
        statistics.add_example(LabelledText("t", f"{number}" + "x" * 1000))
    assert len(statistics.labels) == MAX_LABELS
    assert max(map(len, statistics.labels)) == 200
    assert statistics.too_many_labels


def test_statistics_over_many_batches() -> None:
    statistics = Statistics()
    for number in range(5000):
        statistics.add({"a": "x" * (number % 7)}, 10)
    assert statistics.view().field_stats["a"] == {
        "count": 5000, "empty": 715, "minLength": 0, "meanLength": 3.0, "maxLength": 6,
    }  # fmt: skip


def test_warnings_tell_place_and_number() -> None:
    row = {"question": "كتاب", "answer": "او می رود"}
    found, _ = checked(parsed(QA, row, row, QA))
    warnings = {warning.code: warning for warning in found.warnings.view(found.statistics)}
    assert (warnings["duplicate_rows"].line, warnings["duplicate_rows"].byte_offset) == (3, 300)
    assert "2 in all" in warnings["duplicate_rows"].message
    assert (warnings["arabic_kaf"].field, warnings["arabic_kaf"].line) == ("question", 2)
    assert (warnings["missing_half_space"].field, warnings["missing_half_space"].line) == ("answer", 2)


def test_warnings_about_labels() -> None:
    found, _ = checked(parsed({"text": "a", "label": "x"}, {"text": "b", "label": "x"}))
    assert [warning.code for warning in found.warnings.view(found.statistics)] == ["one_label"]


@given(st.lists(st.integers(1, 300_000), min_size=1, max_size=60), st.data())
def test_index_finds_a_place_near_every_row(sizes: list[int], data: st.DataObject) -> None:
    index, starts, offset = RowIndex(), [], 0
    for row, size in enumerate(sizes):
        starts.append(offset)
        index.add(row, offset)
        offset += size
    wanted = data.draw(st.integers(0, len(sizes) - 1))
    row, place = index.nearest(wanted)
    assert starts[row] == place
    assert row <= wanted
    assert starts[wanted] - place < index.spacing + max(sizes)


def test_index_stays_small() -> None:
    index = RowIndex()
    for row in range(200_000):
        index.add(row, row * (1 << 20))
    assert len(index.rows) <= 4097
    row, place = index.nearest(199_999)
    assert place == row << 20
    assert 199_999 - row <= index.spacing >> 20


def test_rows_are_written_as_json() -> None:
    for row in ({"a": 'سلام "\\\n\u2028😀'}, {"a": 1, "b": [None, True], "c": {"d": 1.5}}, {}):
        written = row_json(row)
        assert json.loads(written) == row
        assert b"\n" not in written


def test_streams_count_hash_and_refuse() -> None:
    digest = Digest()
    stream = io.BufferedReader(LinesStream(iter([b"a\n", b"bc\n"]), digest))
    assert (stream.read(3), stream.read(), digest.size) == (b"a\nb", b"c\n", 5)
    with pytest.raises(TooLarge):
        io.BufferedReader(HashedStream(io.BytesIO(b"12345"), Digest(), 4)).read()
    with pytest.raises(BadRequest, match="5 of 6"):
        io.BufferedReader(HashedStream(io.BytesIO(b"12345"), Digest(), 10, 6)).read()
