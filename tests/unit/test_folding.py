"""Searching Persian: what writers vary without meaning anything by it is the same."""

from __future__ import annotations

import pytest

from kargah.formats.folding import Needle, folded


@pytest.mark.parametrize(
    ("sought", "text"),
    [
        ("سفر", "در سفرنامه"),
        ("كتاب علي", "کتاب علی را خواندم"),
        ("کتاب علی", "كتاب علي"),
        ("می رود", "او می‌رود"),
        ("میرود", "او می‌رود"),
        ("می‌رود", "او میرود"),
        ("می‌رود", "او می رود"),
        ("می‌رود", "او می‌رود"),
        ("۱۴۰۳", "سال 1403"),
        ("1403", "سال ١٤٠٣"),
        ("محمد", "مُحَمَّد"),
        ("سلام", "ســـلام"),
        ("خانه", "خانۀ ما"),
        ("رییس", "رئیس جمهور"),
        ("TEHRAN", "Tehran است"),
        ("لا", "ﻻ"),
    ],
)
def test_it_is_found(sought: str, text: str) -> None:
    assert Needle.of(sought).is_in(text)


@pytest.mark.parametrize(("sought", "text"), [("می رود", "قدیمی است"), ("آب", "اب"), ("سفر", "صفر"), ("ab", "a b")])
def test_it_is_not(sought: str, text: str) -> None:
    assert not Needle.of(sought).is_in(text)


def test_every_field_is_looked_into_at_any_depth() -> None:
    row = {"id": 1403, "messages": [{"role": "user", "content": "بلیت سفر"}], "tags": ["الف"], "none": None}
    for sought in ("سفر", "الف", "1403"):
        assert Needle.of(sought).is_in_row(row)
    assert not Needle.of("messages").is_in_row(row)


def test_folding_twice_is_folding_once() -> None:
    text = "كتابُ ﻻ ۱۲ می‌رود STRASSE ß"
    assert folded(folded(text)) == folded(text)


def test_a_heap_of_marks_is_not_put_in_order() -> None:
    """By the square of their number it would take hours."""
    heap = "a" + "\u0316\u0301" * 500_000
    assert folded(heap) == heap
