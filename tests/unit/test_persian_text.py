"""The faults of Persian typing are found, correct text is left alone, and a snippet can be shown."""

from __future__ import annotations

import json

import pytest

from kargah.formats.spelling.repairs import MESSAGES, find_faults, mend

ZWNJ = "\u200c"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("کتاب علي", "arabic_yeh"),
        ("موسى آمد.", "arabic_yeh"),
        ("\u0643تاب", "arabic_kaf"),
        ("سال ١٣٥٠ بود.", "arabic_digits"),
        ("سال ۱۳5۰ بود.", "mixed_digits"),
        ("عدد ۳.14 است.", "mixed_digits"),
        ("او می رود.", "missing_half_space"),
        ("او نمی خواست برود.", "missing_half_space"),
        ("می توان گفت.", "missing_half_space"),
        ("می بینمش.", "missing_half_space"),
        ("کتاب ها را خواند.", "missing_half_space"),
        ("آن خانه های قدیمی", "missing_half_space"),
        ("آن ها آمدند.", "missing_half_space"),
        (f"می{ZWNJ}{ZWNJ}رود", "bad_half_space"),
        (f"می{ZWNJ} رود", "bad_half_space"),
        (f"{ZWNJ}کتاب", "bad_half_space"),
        (f"کتاب{ZWNJ}", "bad_half_space"),
        (f"رفت{ZWNJ}.", "bad_half_space"),
        ("سلام\u200b دنیا", "control_character"),
        ("\ufeffسلام", "control_character"),
        ("سلام\x00", "control_character"),
        ("سلام\ud800", "control_character"),
        ("ســـلام", "tatweel"),
        ("هـمه آمدند.", "tatweel"),
    ],
)
def test_a_fault_is_found_and_named(text: str, code: str) -> None:
    fault, *_ = find_faults(text)
    assert fault.code == code and code in MESSAGES


@pytest.mark.parametrize(
    "text",
    [
        "",
        "او می\u200cرود و کتاب\u200cهایش را نمی\u200cخواند.",
        "می ناب در جام کرد.",
        "ماه می میلادی ۳۱ روز دارد.",
        "نشانهٔ جمع ها و ان است.",
        "نشانهٔ «ها» پسوند است.",
        "شیشه را ها کرد.",
        "های های گریست.",
        "نسخهٔ Python 3.11 را در سال ۱۴۰۲ نصب کرد.",
        "نامهٔ\u200cاو و خانه\u200cای بزرگ",
        "روزی ۲۰\u200cساله شد؛ «چرا؟»",
        "خط نخست\nخط دوم\tستون",
        "سال ۶۲۲ م. برابر با سال یکم ه\u200d.ق. است.",
        "سال ۱۳۵۰ هـ.ش بود.",
        "خانوادهٔ ما 👨\u200d👩\u200d👧 خوب است.",
        "عدد ۳٫۱۴ و تاریخ ۱۴۰۳/۰۱/۰۱ و ساعت ۱۲:۳۰",
        "A plain English sentence of 12 words, 3.5 on average.",
    ],
)
def test_correct_text_is_left_alone(text: str) -> None:
    assert find_faults(text) == []
    assert mend(text)[0] == text


def test_a_snippet_shows_the_fault_stays_short_and_can_be_sent_as_json() -> None:
    (fault,) = find_faults("آغاز " + "ـ" * 100_000 + " پایان")
    assert "ـ" in fault.snippet
    assert len(fault.snippet) < 60
    (fault,) = find_faults("سلام\ud800")
    assert json.dumps(fault.snippet, ensure_ascii=False).encode("utf-8")
