"""The Persian text checker finds real faults, leaves correct text alone, and repairs without side effects."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kargah.formats.persian import REPAIRABLE, IssueCode, find_issues, normalise

ZWNJ = "\u200c"
ALPHABET = (
    "ابمینرودهاکگی"
    + "\u064a\u0649\u0643\u0640\u0654\u064b"
    + ZWNJ * 3
    + "٠٤٩۰۴۹049"
    + " .,/:٫،؟«»\n\tAz_\u200d\u200f\x00"
)
persian_like = st.text(alphabet=ALPHABET, max_size=40)
any_text = st.one_of(persian_like, st.text(max_size=40))


def codes(text: str) -> list[IssueCode]:
    return [issue.code for issue in find_issues(text)]


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("کتاب علي", IssueCode.ARABIC_YEH, 7),
        ("موسى آمد.", IssueCode.ARABIC_YEH, 3),
        ("\u0643تاب", IssueCode.ARABIC_KAF, 0),
        ("سال ١٣٥٠ بود.", IssueCode.ARABIC_DIGITS, 4),
        ("سال ۱۳5۰ بود.", IssueCode.MIXED_DIGITS, 4),
        ("عدد ۳.14 است.", IssueCode.MIXED_DIGITS, 4),
        ("او می رود.", IssueCode.MISSING_HALF_SPACE, 3),
        ("او نمی خواست برود.", IssueCode.MISSING_HALF_SPACE, 3),
        ("می توان گفت.", IssueCode.MISSING_HALF_SPACE, 0),
        ("می بینمش.", IssueCode.MISSING_HALF_SPACE, 0),
        ("کتاب ها را خواند.", IssueCode.MISSING_HALF_SPACE, 0),
        ("آن خانه های قدیمی", IssueCode.MISSING_HALF_SPACE, 3),
        ("آن ها آمدند.", IssueCode.MISSING_HALF_SPACE, 0),
        (f"می{ZWNJ}{ZWNJ}رود", IssueCode.BAD_HALF_SPACE, 2),
        (f"می{ZWNJ} رود", IssueCode.BAD_HALF_SPACE, 2),
        (f"{ZWNJ}کتاب", IssueCode.BAD_HALF_SPACE, 0),
        (f"کتاب{ZWNJ}", IssueCode.BAD_HALF_SPACE, 4),
        (f"رفت{ZWNJ}.", IssueCode.BAD_HALF_SPACE, 3),
        ("سلام\u200b دنیا", IssueCode.CONTROL_CHARACTER, 4),
        ("\ufeffسلام", IssueCode.CONTROL_CHARACTER, 0),
        ("سلام\x00", IssueCode.CONTROL_CHARACTER, 4),
        ("سلام\ud800", IssueCode.CONTROL_CHARACTER, 4),
        ("ســـلام", IssueCode.TATWEEL, 1),
        ("هـمه آمدند.", IssueCode.TATWEEL, 1),
    ],
)
def test_a_fault_is_found_where_it_is(text: str, code: IssueCode, position: int) -> None:
    (issue,) = find_issues(text)
    assert (issue.code, issue.position) == (code, position)
    assert issue.message


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
    assert find_issues(text) == []
    assert normalise(text) == text


def test_issues_come_in_reading_order() -> None:
    assert codes("علي می رود ٣ ســال") == [
        IssueCode.ARABIC_YEH,
        IssueCode.MISSING_HALF_SPACE,
        IssueCode.ARABIC_DIGITS,
        IssueCode.TATWEEL,
    ]


def test_normalise_repairs_the_safe_faults_and_only_those() -> None:
    broken = f"{ZWNJ}علي \u0643تاب{ZWNJ}{ZWNJ}ها را در ١٣5۰ می خواند{ZWNJ} ســال."
    assert normalise(broken) == f"علی کتاب{ZWNJ}ها را در ۱۳۵۰ می خواند ســال."


def test_a_snippet_shows_the_fault_stays_short_and_can_be_sent_as_json() -> None:
    (issue,) = find_issues("آغاز " + "ـ" * 100_000 + " پایان")
    assert "ـ" in issue.snippet
    assert len(issue.snippet) < 60
    (issue,) = find_issues("سلام\ud800")
    assert json.dumps(issue.snippet, ensure_ascii=False).encode("utf-8")


@given(any_text)
@example(f"۱{ZWNJ}.5")
@example(f"ا{ZWNJ}\u0654{ZWNJ}ب")
def test_normalise_is_idempotent_and_leaves_nothing_repairable(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert REPAIRABLE.isdisjoint(codes(once))


@given(any_text)
def test_normalise_changes_a_text_exactly_when_something_is_repairable(text: str) -> None:
    assert (normalise(text) != text) == (not REPAIRABLE.isdisjoint(codes(text)))


@given(any_text)
def test_positions_point_into_the_text_in_order(text: str) -> None:
    positions = [issue.position for issue in find_issues(text)]
    assert positions == sorted(positions)
    assert all(0 <= position < len(text) for position in positions)
