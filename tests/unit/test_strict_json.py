"""Strict JSON: everything that is JSON and storable comes through unchanged; everything else is a named refusal."""

from __future__ import annotations

import json
import math
import time
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from kargah.contracts.base import WireRequest
from kargah.domain.errors import BadRequest, DomainError, Invalid
from kargah.web.strict_json import MAX_DEPTH, parse, parse_model

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=20,
)


class Colour(StrEnum):
    RED = "red"


class Inner(WireRequest):
    batch_size: int = Field(ge=1, le=64)


class Model(WireRequest):
    name: str = Field(max_length=5)
    flag: bool = False
    colour: Colour = Colour.RED
    learning_rate: float = Field(default=1.0, gt=0)
    rows: list[Inner] = []
    either: Inner | str | None = None


def _nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def _errors(body: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        parse_model(json.dumps(body).encode(), Model)
    return {error.field: error.code for error in caught.value.errors}


@given(_VALUES)
def test_json_comes_through_unchanged(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_a_value_or_a_refusal(data: bytes) -> None:
    try:
        value = parse(data)
    except DomainError as error:
        assert error.status in (400, 422)
    else:
        assert value == json.loads(data)


@given(st.text(alphabet='[]{}",:\\ntrue0.e-', max_size=60))
def test_almost_json_is_a_value_or_a_refusal(text: str) -> None:
    try:
        value = parse(text.encode())
    except DomainError as error:
        assert error.status in (400, 422)
    else:
        assert value == json.loads(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  \n",
        b"{",
        b"{} {}",
        b"nul",
        b"{'a': 1}",
        b'{"a": 1,}',
        b'"\x01"',
        b"\xff\xfe",
        b'{"a": "\xc3"}',
        "{}".encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b'{"a": NaN}',
        b"Infinity",
        b"-Infinity",
        b"1e999",
        b"-1e999",
        b"9" * 5000,
        b'{"a": 1, "a": 1}',
        b'{"b": [{"a": 1, "\\u0061": 2}]}',
        _nested(MAX_DEPTH + 1),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a' * 100_000,
    ],
)
def test_what_is_not_json_is_a_bad_request(data: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(data)


def test_depth_is_counted_outside_of_strings_only() -> None:
    assert parse(_nested(MAX_DEPTH)) is not None
    text = "[{" * 1000 + '\\"[' * 10
    assert parse(json.dumps([text]).encode()) == [text]
    assert parse(b"[" + b"[]," * 1000 + b"[]]") is not None


@pytest.mark.parametrize("part", [b'"\\"', b'\\"', b'"', b"\\", b"[]", b'"a",'])
def test_hostile_input_takes_linear_time(part: bytes) -> None:
    data = part * ((1 << 20) // len(part))
    started = time.process_time()
    with pytest.raises(DomainError):
        parse(data)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (rb'"\u0000"', "body"),
        (rb'{"name": "a\u0000"}', "name"),
        (rb'{"rows": [1, {"x": "\ud800"}]}', "rows[1].x"),
        (rb'{"rows": ["\udc00\ud800"]}', "rows[0]"),
    ],
)
def test_text_that_cannot_be_stored_names_its_field(body: bytes, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(body)
    assert [error.field for error in caught.value.errors] == [field]


def test_a_key_that_cannot_be_stored_is_named_in_printable_form() -> None:
    with pytest.raises(Invalid) as caught:
        parse(rb'{"config": {"a\ud800\u0000": 1}}')
    field = caught.value.errors[0].field
    assert field.startswith("config.a")
    field.encode("utf-8")
    assert "\0" not in field


def test_surrogate_pairs_are_text() -> None:
    assert parse(rb'"\ud83d\ude00"') == "😀"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": 5}, {"name": "string_type"}),
        ({"name": "too long"}, {"name": "string_too_long"}),
        ({"flag": 1}, {"flag": "bool_type"}),
        ({"flag": "true"}, {"flag": "bool_type"}),
        ({"rows": [{"batchSize": 1}, {"batchSize": True}]}, {"rows[1].batchSize": "int_type"}),
        ({"rows": [{"batch_size": 0}]}, {"rows[0].batch_size": "greater_than_equal"}),
        ({"rows": [{"batchSize": 10**30}]}, {"rows[0].batchSize": "less_than_equal"}),
        ({"rows": [{"batchSize": 1.0}]}, {"rows[0].batchSize": "int_type"}),
        ({"rows": [{}]}, {"rows[0].batchSize": "missing"}),
        ({"colour": "blue"}, {"colour": "enum"}),
        ({"learningRate": 0}, {"learningRate": "greater_than"}),
        ({"learning_rate": "1"}, {"learning_rate": "float_type"}),
        ({"colour": "red", "color": "red"}, {"color": "unknown_field"}),
        ({"rows": [{"batchSize": 1, "x": 1}]}, {"rows[0].x": "unknown_field"}),
    ],
)
def test_fields_are_named_as_the_caller_spelled_them(change: dict[str, Any], expected: dict[str, str]) -> None:
    assert _errors({"name": "ok", **change}) == expected


def test_every_field_is_told_at_once() -> None:
    assert set(_errors({"flag": 3, "rows": [{}, {}], "odd": 1})) == {
        "name",
        "flag",
        "rows[0].batchSize",
        "rows[1].batchSize",
        "odd",
    }


def test_messages_carry_the_bound_and_the_way_out() -> None:
    with pytest.raises(Invalid) as caught:
        parse_model(b'{"name": "ok", "rows": [{"batchSize": 65}], "learningrate": 1}', Model)
    messages = {error.field: error.message for error in caught.value.errors}
    assert "64" in messages["rows[0].batchSize"]
    assert "learningRate" in messages["learningrate"]


def test_union_tags_are_not_fields() -> None:
    assert set(_errors({"name": "ok", "either": {"batchSize": 0}})) <= {"either", "either.batchSize"}


def test_the_number_of_errors_is_bounded() -> None:
    with pytest.raises(Invalid) as caught:
        parse_model(json.dumps({"name": "ok", **{f"x{number}": 1 for number in range(500)}}).encode(), Model)
    assert len(caught.value.errors) == 20


@given(st.floats())
def test_only_finite_numbers_pass(number: float) -> None:
    data = json.dumps({"name": "ok", "learningRate": number}).encode()
    if math.isfinite(number) and number > 0:
        assert parse_model(data, Model).learning_rate == number
    else:
        with pytest.raises(DomainError):
            parse_model(data, Model)
