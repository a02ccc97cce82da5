"""Repairs of Persian text: sentences before and after, what must stay as it is, and that twice is as good as once."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kargah.formats.spelling.repairs import MESSAGES, STEPS, TEXT_REPAIRS, find_faults, mend
from kargah.formats.spelling.suspect import may_be_faulty, which_may_be_faulty
from kargah.formats.unicode_forms import has_too_many_marks

Z = "\u200c"

MENDED: dict[str, list[tuple[str, str]]] = {
    "arabic-letters": [
        ("كتاب علي روي ميز است.", "کتاب علی روی میز است."),
        ("موسى و عيسى آمدند.", "موسی و عیسی آمدند."),
        ("خانۀ ما كوچك است", "خانهٔ ما کوچک است"),
        ("ﮐﺘﺎب ﺧﻮﺑﯽ است", "کتاب خوبی است"),
        ("كد `x = كليد` را اجرا كن", "کد `x = كليد` را اجرا کن"),
        ("پيامبر فرمود: «إن الله على كل شيء قدير» و رفت.", "پیامبر فرمود: «إن الله على كل شيء قدير» و رفت."),
        ("نشاني: https://example.com/كتاب و تمام", "نشانی: https://example.com/كتاب و تمام"),
        (f"خانه{Z}ي ما", f"خانه{Z}ی ما"),
    ],
    "half-space": [
        ("او می رود و نمی خواهد بماند.", f"او می{Z}رود و نمی{Z}خواهد بماند."),
        ("کتاب ها و خانه های قدیمی", f"کتاب{Z}ها و خانه{Z}های قدیمی"),
        (f"می{Z}{Z}روم", f"می{Z}روم"),
        (f"رفت{Z}. {Z}آمد{Z} و نشست", "رفت. آمد و نشست"),
        ("بچه  ها می شوند", f"بچه{Z}ها می{Z}شوند"),
        (f"درخت{Z} ها می دانند", f"درخت{Z}ها می{Z}دانند"),
        ("این دستور: `می رود` را ببین، می شود", f"این دستور: `می رود` را ببین، می{Z}شود"),
    ],
    "digits": [
        ("سال ۱۳۵۰ و سال 1402", "سال ۱۳۵۰ و سال ۱۴۰۲"),
        ("سال ١٣٥٠ بود.", "سال ۱۳۵۰ بود."),
        ("عدد ۳.14 است.", "عدد ۳.۱۴ است."),
        ("مدل GPT-4 در ۲۰۲۳ و نسخهٔ Python 3.11 آمد", "مدل GPT-4 در ۲۰۲۳ و نسخهٔ Python 3.11 آمد"),
        ("در ۱۴۰۲ نسخهٔ 1.2.3 را دید", "در ۱۴۰۲ نسخهٔ 1.2.3 را دید"),
        ("بازار ۵ 15 MHz بود و 7 نفر", "بازار ۵ 15 MHz بود و ۷ نفر"),
        ("نشانی http://a.ir/12 در سال ۱۴۰۰", "نشانی http://a.ir/12 در سال ۱۴۰۰"),
        ("x = 5; و ۶ نفر", "x = 5; و ۶ نفر"),
        ("۱۰ نفر (12 زن) رفتند، 3 نفر ماندند: 5.", "۱۰ نفر (۱۲ زن) رفتند، ۳ نفر ماندند: ۵."),
    ],
    "control-characters": [
        ("سلام\u200fدنیا\ufeff", "سلامدنیا"),
        ("می\u200bرود", f"می{Z}رود"),
        ("خط نخست\u2028خط دوم", "خط نخست\nخط دوم"),
        ("plain\x07 text\x00", "plain text"),
        ("tab\tand\nnewline\r\n", "tab\tand\nnewline\r\n"),
        ("خانوادهٔ ما 👨\u200d👩\u200d👧", "خانوادهٔ ما 👨\u200d👩\u200d👧"),
    ],
    "unicode": [
        ("cafe\u0301", "café"),
        ("ا\u0653ب", "آب"),
        ("مسي\u0654له", "مسئله"),
        ("`cafe\u0301`", "`cafe\u0301`"),
    ],
}


@pytest.mark.parametrize(("name", "before", "after"), [(n, *pair) for n, pairs in MENDED.items() for pair in pairs])
def test_each_repair_mends_its_own_faults_and_no_more(name: str, before: str, after: str) -> None:
    mended, faults = mend(before, [name])
    assert mended == after
    assert {fault.repair for fault in faults} == ({name} if before != after else set())


UNTOUCHED = [
    "",
    f"او می{Z}رود و کتاب{Z}هایش را نمی{Z}خواند.",
    "می ناب در جام کرد.",
    "نشانهٔ جمع ها و ان است.",
    "A plain English sentence of 12 words, 3.5 on average.",
    "الكتاب على الطاولة في المدرسة",
    "قُلْ هُوَ اللَّهُ أَحَدٌ",
    "دا کتاب ښه دی او زه يې لرم",
    "بۇ كىتاب ياخشى",
    'print("كتاب ها", 12 + ۳)',
    "def كتاب(می رود):\n    return x[1]",
    "```python\nname = 'علي می رود ١٢'\n```",
    'if (a == 1) { b["كليد"] = 2; }',
    "email: ali.1990@example.com و صفحهٔ www.example.com/٣",
    "<a href='كتاب'>",
    "حرف ي در عربی دو نقطه دارد",
    "क्\u200cष",
    "C:\\Users\\كتاب\\علي.txt",
    "{{كليد}} و $name1",
    "عدد ۳٫۱۴ و تاریخ ۱۴۰۳/۰۱/۰۱ و ساعت ۱۲:۳۰",
    "سال 1402 و روز 12",
]


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_is_right_or_not_persian_is_left_alone(text: str) -> None:
    assert mend(text) == (text, [])


def test_all_repairs_work_together() -> None:
    broken = f"{Z}علي\u200f كتاب{Z}{Z}ها را در ١٣5۰ مي خواند{Z} و مسي\u0654له ها را نمي داند 7 بار."
    mended, faults = mend(broken)
    assert mended == f"علی کتاب{Z}ها را در ۱۳۵۰ می{Z}خواند و مسئله{Z}ها را نمی{Z}داند ۷ بار."
    assert {fault.repair for fault in faults} == set(TEXT_REPAIRS)
    assert {fault.code for fault in faults} <= set(MESSAGES)
    assert all(len(fault.snippet) < 60 for fault in faults)


def test_a_tatweel_is_told_and_left_to_people() -> None:
    assert [(fault.code, fault.repair) for fault in find_faults("ســـلام")] == [("tatweel", None)]
    assert find_faults("`ســـلام`") == []


ALPHABET = (
    "ابمینرودهاکگی کتاب ها می شود  "
    + "\u064a\u0649\u0643\u06c0\u0640\u0654\u0653\u0650\u064b\ufeea\ufef1\ufb8e"
    + Z * 4
    + "٠٤٩۰۴۹049"
    + " .,/:٫،؟«»\n\tAz_\u200d\u200f\u200b\u2028\x00`{}();=@e\u0301"
)
WORDS = ["می", "رود", "ها", "های", "کتاب", "بود", "به", "كتاب", "علي", "ال", "في", "http://", "`", "```", "GPT", Z, " "]
persian_like = st.text(alphabet=ALPHABET, max_size=40)
sentences = st.lists(st.sampled_from(WORDS) | st.text(alphabet=ALPHABET, max_size=3), max_size=14).map("".join)
spaced = st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join)


@given(persian_like | sentences | spaced | st.text(max_size=40), st.sets(st.sampled_from(TEXT_REPAIRS), min_size=1))
@example("می بود ها", {"half-space"})
@example(f"کتاب ها ها به{Z} ها", {"half-space"})
@example(f"e{Z}\u0301", set(TEXT_REPAIRS))
@example("حرف ي ها", set(TEXT_REPAIRS))
@example("12\x00http://a.\u200bك", set(TEXT_REPAIRS))
@example("ۀ\u0650", set(TEXT_REPAIRS))
@example("ۀ\u0316ا", set(TEXT_REPAIRS))
@example("ا" + "ۀ" + "\u064b\u0650" * 9, set(TEXT_REPAIRS))
@example("ﺍ" + "\u0653\u0316", set(TEXT_REPAIRS))
@example("ht\u200btp://\u0643\u0643", set(TEXT_REPAIRS))
def test_doing_it_twice_changes_nothing_more(text: str, names: set[str]) -> None:
    once, faults = mend(text, names)
    assert mend(once, names) == (once, [])
    assert (once == text) or faults


@given(persian_like | sentences | spaced | st.text(max_size=40))
def test_the_quick_look_misses_nothing(text: str) -> None:
    found = [edit for step in STEPS for edit in step.edits(text)]
    assert may_be_faulty(text) or not found


@given(
    st.lists(persian_like | spaced | st.sampled_from(["a\u0301" * 9, "\u0301" * 230, "e\u0301", "", Z]), max_size=150)
)
def test_many_texts_are_looked_at_as_one_by_one(texts: list[str]) -> None:
    assert list(which_may_be_faulty(texts)) == [place for place, text in enumerate(texts) if may_be_faulty(text)]


@given(st.text(st.sampled_from("a\u0301\u064b"), max_size=3), st.integers(190, 210), st.integers(0, 450))
def test_hundreds_of_marks_are_found_wherever_they_stand(letters: str, marks: int, before: int) -> None:
    text = "x" * before + letters + "\u0301" * marks
    assert has_too_many_marks(text + "y") == (re.search("[\u0301\u064b]{200}", text) is not None)


@given(st.text(alphabet=st.characters(max_codepoint=0x7E, min_codepoint=0x20) | st.sampled_from("\n\t\r"), max_size=60))
def test_plain_ascii_is_never_touched(text: str) -> None:
    assert mend(text) == (text, [])


PIECES = [
    "می رود ", "`", "کتاب ها ", "aaaaaaaaaa<", "٣ 4 ", f"ک{Z}{Z}", "«", "http://ا ", "=", "a", "(=", "/a", "{{", "\\a",
    "é", "a\u0316\u0301", "\u0301\u0316", "می ", "ي", "٣", "\"ك\" ", "ك\n", "`ك` ", "\u200b", "import ", "ۀ\u064b",
    "\u064b\u0650",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_long_texts_take_time_by_their_length_alone(piece: str) -> None:
    """A square of it would take hours here; the limit of the whole suite would end that."""
    text = "كتاب ۀ" + piece * (100_000 // len(piece))
    mended, _ = mend(text)
    assert mend(mended) == (mended, [])
