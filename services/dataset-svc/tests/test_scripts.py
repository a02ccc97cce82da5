"""The rule that tells which script a row is mainly written in."""

from __future__ import annotations

from typing import Any

import pytest

from dataset_svc.checks.scripts import script_of, script_of_row


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("پایتخت ایران کجاست؟", "persian"),
        ("سلام دنیا", "persian"),
        ("سلام", "persian"),
        ("كتاب علي را ديدم چون گفت", "persian"),  # typed on an Arabic keyboard
        ("ذهبت إلى المدرسة في الصباح", "arabic_script"),
        ("مجھے یہ کتاب پڑھنے میں مزہ آیا", "arabic_script"),
        ("من خوێندکارم لە زانکۆ", "arabic_script"),
        ("The capital of Iran", "latin"),
        ("Zürich schön", "latin"),
        ("Столица Ирана", "other"),
        ("東京は日本の首都です", "other"),
        ("کلمهٔ hello world یعنی سلام", "mixed"),
        ("12 + 34 = 46 🙂", "none"),
        ("", "none"),
    ],
)
def test_texts_are_told_apart(text: str, script: str) -> None:
    assert script_of(text) == script


@pytest.mark.parametrize(
    ("row", "script"),
    [
        ({"question": "سلام خوبی؟", "answer": "بله"}, "persian"),
        ({"messages": [{"role": "assistant", "content": "سلام"}]}, "persian"),
        ({"text": "the same", "split": "آزمون آزمون آزمون"}, "latin"),
        ({"number": 3, "flag": True, "nothing": None}, "none"),
    ],
)
def test_names_of_fields_and_roles_do_not_count(row: dict[str, Any], script: str) -> None:
    assert script_of_row(row) == script
