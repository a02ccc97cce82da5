"""Formats: what each accepts, what it refuses and where, and how rows become examples."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kargah.domain.errors import Invalid
from kargah.formats.base import Chat, Format, LabelledText, NotTrained, PlainText, Turn
from kargah.formats.registry import FormatCollision, collect, detect, format_named, formats
from kargah.testing.format_samples import SAMPLES

ASKED = {"role": "user", "content": "پایتخت ایران کجاست؟"}
ANSWERED = {"role": "assistant", "content": "تهران"}

DETECTED: list[tuple[dict[str, Any], str]] = [
    ({"messages": [ASKED, ANSWERED]}, "messages"),
    ({"messages": [ASKED, ANSWERED], "prompt": "x", "prompt_id": "1"}, "messages"),
    ({"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "ho"}], "id": "1"}, "sharegpt"),
    ({"question": "q", "answer": "a"}, "question_answer"),
    ({"Question": "q", "ANSWER": "a", "Context": "c"}, "question_answer"),
    ({"سوال": "q", "جواب": "a"}, "question_answer"),
    ({"پرسش": "q", "پاسخ": "a", "متن": "c"}, "question_answer"),
    ({"سؤال": "q", "پاسخ": "a"}, "question_answer"),
    ({"question": "q", "url": "u", "passage": "p", "answers": {"answer_text": ["a"]}}, "question_answer"),
    ({"question": "q", "candidates": ["x", "y"], "answer": "2", "category": "c"}, "question_answer"),
    ({"prompt": "p", "completion": "c"}, "prompt_completion"),
    ({"input": "p", "target": "c"}, "prompt_completion"),
    ({"instruction": "i", "input": "", "output": "o", "text": "i o"}, "alpaca"),
    ({"دستور": "i", "ورودی": "", "خروجی": "o"}, "alpaca"),
    ({"text": "t", "label": 1}, "labelled_text"),
    ({"متن": "t", "برچسب": "مثبت"}, "labelled_text"),
    ({"sent1": "a", "sent2": "b", "label": "e"}, "labelled_text"),
    ({"text": "t"}, "text"),
    ({"text": "t", "meta": {"url": "u"}}, "text"),
    ({"prompt": "p", "prompt_id": "1", "messages": [ASKED, ANSWERED], "chosen": [ANSWERED], "rejected": [ASKED]},
     "preference"),
    ({"chosen": [ASKED, ANSWERED], "rejected": [ASKED, {"role": "assistant", "content": "x"}]}, "preference"),
    ({"پرسش": "p", "برگزیده": "c", "ناپسند": "r"}, "preference"),
    ({"prompt": "p", "completion": "c", "label": "False"}, "kto"),
    ({"prompt": "p", "completion": "c", "label": 1, "text": "t"}, "kto"),
    ({"prompt": "p", "completion": "c", "label": "shopping"}, "prompt_completion"),
    ({"question": "q", "passage": "p", "answer": "a", "label": True}, "question_answer"),
    ({"id": "1", "tokens": ["a"], "pos_tags": [3], "chunk_tags": [2], "ner_tags": [0]}, "token_labels"),
    ({"واژه‌ها": ["a"], "برچسب‌ها": ["O"]}, "token_labels"),
    ({"audio_filepath": "a.wav", "duration": 2.5, "text": "t"}, "speech"),
    ({"file_name": "a.MP3", "transcription": "t"}, "speech"),
    ({"path": "src/a.py", "text": "t"}, "text"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "name"), DETECTED)
def test_detects_by_columns(row: dict[str, Any], name: str) -> None:
    known = detect([row])
    assert known is not None
    assert known.name == name
    assert known.validate(row) == []


@pytest.mark.parametrize("name", list(SAMPLES))
def test_each_valid_sample_is_exactly_its_own_format(name: str) -> None:
    for row in SAMPLES[name]:
        known = detect([row])
        assert known is not None
        assert (known.name, known.validate(row)) == (name, [])
    assert detect(SAMPLES[name]) is format_named(name)


def test_rows_that_lack_a_column_do_not_make_the_file_a_plainer_one() -> None:
    labelled = [{"text": "t", "label": "l"}] * 60 + [{"text": "t"}] * 40
    assert detect(labelled) is format_named("labelled_text")
    assert detect(labelled[55:]) is format_named("text")


def test_only_trained_formats_become_examples() -> None:
    for name, shape in formats().items():
        for row in SAMPLES[name]:
            if shape.trained:
                shape.to_example(row)
            else:
                with pytest.raises(NotTrained, match=name):
                    shape.to_example(row)


EXCHANGES = {
    "messages": ("پایتخت ایران کجاست؟", "تهران", "تهران"),
    "sharegpt": ("سلام", "درود بر شما", "درود بر شما"),
    "labelled_text": ("فیلم خوبی بود", "فیلم خوبی بود", "مثبت"),
    "text": ("روزی بود و روزگاری", "روزی بود و روزگاری", None),
    "preference": ("سلام", "سلام، چه کمکی از من برمی‌آید؟", None),
    "kto": ("پایتخت ایران؟\n\nتهران", "تهران", "True"),
    "token_labels": ("تهران زیباست", "تهران زیباست", "B-LOC O"),
    "speech": ("clips/001.wav", "سلام دنیا", "سلام دنیا"),
}


@pytest.mark.parametrize("name", list(EXCHANGES))
def test_rows_are_compared_by_what_they_ask_and_answer(name: str) -> None:
    assert format_named(name).exchange(SAMPLES[name][0]) == EXCHANGES[name]


def test_detects_nothing_in_strange_rows() -> None:
    assert detect([{"foo": 1}]) is None
    assert detect([]) is None


def test_one_odd_row_does_not_decide() -> None:
    known = detect([{"foo": 1}, {"question": "q", "answer": "a"}, {"question": "q", "answer": "a"}])
    assert known is not None
    assert known.name == "question_answer"


def test_scan_finds_exactly_the_formats() -> None:
    assert set(formats()) == set(SAMPLES)
    assert all(format_named(name).name == name for name in SAMPLES)


def test_unknown_name_helps() -> None:
    with pytest.raises(Invalid) as caught:
        format_named("mesages")
    assert "question_answer" in caught.value.message
    assert caught.value.hint == "did you mean messages?"
    assert caught.value.errors[0].field == "format"


def test_collision_raises() -> None:
    text = format_named("text")
    with pytest.raises(FormatCollision, match="'text'"):
        collect([text, text])

    class Same:
        """Another name with the same rank."""

        name, rank = "other", text.rank

    with pytest.raises(FormatCollision, match="rank of 'other'"):
        collect([text, cast(Format, Same())])


REFUSED: list[tuple[str, dict[str, Any], str | None, str]] = [
    ("messages", {}, "messages", "missing"),
    ("messages", {"messages": []}, "messages", "empty"),
    ("messages", {"messages": "hi"}, "messages", "wrong_type"),
    ("messages", {"messages": ["hi"]}, "messages[0]", "wrong_type"),
    ("messages", {"messages": [ASKED]}, "messages[0].role", "last_not_assistant"),
    ("messages", {"messages": [{"role": "boss", "content": "x"}]}, "messages[0].role", "unknown_role"),
    ("messages", {"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role", "unknown_role"),
    ("messages", {"messages": [ASKED, {"role": "assistant"}]}, "messages[1].content", "wrong_type"),
    ("messages", {"messages": [ASKED, {"role": "assistant", "content": " \n"}]}, "messages[1].content", "empty"),
    ("messages", {"messages": [ASKED, ANSWERED | {"weight": 0.5}]}, "messages[1].weight", "out_of_range"),
    ("messages", {"messages": [ASKED, ANSWERED | {"weight": True}]}, "messages[1].weight", "out_of_range"),
    ("messages", {"messages": [ASKED | {"weight": 1}, ANSWERED]}, "messages[0].weight", "misplaced"),
    ("messages", {"messages": [ASKED, ANSWERED | {"tool_calls": [{}]}]}, "messages[1].tool_calls", "unsupported"),
    (
        "messages",
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, ANSWERED]},
        "messages[0].content[0]",
        "unsupported",
    ),
    ("sharegpt", {"id": 1}, "conversations", "missing"),
    ("sharegpt", {"conversations": [{"from": "human", "value": "x"}]}, "conversations", "no_assistant"),
    ("sharegpt", {"conversations": [{"from": "gpt", "value": 1}]}, "conversations[0].value", "wrong_type"),
    ("sharegpt", {"conversations": [{"value": "x"}]}, "conversations[0].from", "unknown_role"),
    ("question_answer", {"answer": "a"}, "question", "missing"),
    ("question_answer", {"سوال": "q"}, "answer", "missing"),
    ("question_answer", {"سوال": "", "جواب": "a"}, "سوال", "empty"),
    ("question_answer", {"question": "q", "answer": 4}, "answer", "wrong_type"),
    ("question_answer", {"question": "q", "answers": []}, "answers", "wrong_type"),
    ("question_answer", {"question": "q", "answer": "a", "context": 3}, "context", "wrong_type"),
    ("prompt_completion", {"prompt": "p", "completion": ""}, "completion", "empty"),
    ("alpaca", {"instruction": None, "output": "o"}, "instruction", "wrong_type"),
    ("labelled_text", {"text": "t", "label": None}, "label", "wrong_type"),
    ("labelled_text", {"text": "t", "label": 0.5}, "label", "wrong_type"),
    ("labelled_text", {"text": "t", "label": " "}, "label", "empty"),
    ("text", {"text": "\u200b" * 0}, "text", "empty"),
    ("preference", {"chosen": "a", "rejected": "b"}, "prompt", "missing"),
    ("preference", {"prompt": "p", "chosen": "a"}, "rejected", "missing"),
    ("preference", {"prompt": "p", "chosen": "a", "rejected": "a"}, "rejected", "same"),
    ("preference", {"prompt": "p", "chosen": "a", "rejected": [ANSWERED]}, "rejected", "wrong_type"),
    ("preference", {"prompt": 3, "chosen": "a", "rejected": "b"}, "prompt", "wrong_type"),
    ("preference", {"chosen": [{"role": "x"}], "rejected": [ANSWERED]}, "chosen[0].role", "unknown_role"),
    ("kto", {"prompt": "p", "completion": "c"}, "label", "missing"),
    ("kto", {"prompt": "p", "completion": "c", "label": "maybe"}, "label", "wrong_type"),
    ("kto", {"prompt": "p", "completion": "c", "label": 2}, "label", "wrong_type"),
    ("kto", {"prompt": [ASKED], "completion": [], "label": True}, "completion", "empty"),
    ("kto", {"prompt": " ", "completion": "c", "label": False}, "prompt", "empty"),
    ("token_labels", {"tokens": ["a", "b"], "tags": ["O"]}, "tags", "unequal_length"),
    ("token_labels", {"tokens": "a b", "tags": ["O"]}, "tokens", "wrong_type"),
    ("token_labels", {"tokens": [], "tags": ["O"]}, "tokens", "empty"),
    ("token_labels", {"tokens": ["a", " "], "tags": [1, 2]}, "tokens[1]", "empty"),
    ("token_labels", {"tokens": ["a"], "tags": [True]}, "tags[0]", "wrong_type"),
    ("token_labels", {"tokens": ["a"]}, "tags", "missing"),
    ("speech", {"text": "t"}, "audio", "missing"),
    ("speech", {"audio": 3, "text": "t"}, "audio", "wrong_type"),
    ("speech", {"audio": {"array": [0.1]}, "text": "t"}, "audio", "empty"),
    ("speech", {"audio": "a.wav", "text": ""}, "text", "empty"),
]


@pytest.mark.parametrize(("name", "row", "field", "code"), REFUSED)
def test_refuses_with_field_and_code(name: str, row: dict[str, Any], field: str | None, code: str) -> None:
    problems = format_named(name).validate(row)
    assert [(p.field, p.code) for p in problems] == [(field, code)]


def test_every_problem_of_a_row_is_told() -> None:
    assert [p.field for p in format_named("question_answer").validate({"question": "", "answer": ""})] == [
        "question",
        "answer",
    ]


def test_messages_weights_mask_turns() -> None:
    row = {"messages": [{"role": "system", "content": ""}, ASKED, ANSWERED | {"weight": 0}, ASKED, ANSWERED]}
    example = format_named("messages").to_example(row)
    assert isinstance(example, Chat)
    assert [(t.role, t.train) for t in example.turns] == [
        ("user", False), ("assistant", False), ("user", False), ("assistant", True),
    ]  # fmt: skip


def test_text_parts_are_joined() -> None:
    parts = [{"type": "text", "text": "سلام "}, {"type": "text", "text": "دنیا"}]
    example = format_named("messages").to_example({"messages": [{"role": "developer", "content": parts}, ANSWERED]})
    assert isinstance(example, Chat)
    assert example.turns[0] == Turn("system", "سلام دنیا")


def test_context_stands_before_the_question() -> None:
    example = format_named("question_answer").to_example({"question": "کجا؟", "answer": "آنجا", "context": "متن"})
    assert example == Chat((Turn("user", "متن\n\nکجا؟"), Turn("assistant", "آنجا", True)))


@pytest.mark.parametrize(
    "answers",
    [
        "a", ["a", "b"], {"answer_start": [3], "answer_text": ["a"]}, {"text": ["a"]}, [{"answer_text": "a"}],
    ],
)  # fmt: skip
def test_answers_in_every_spelling(answers: Any) -> None:
    example = format_named("question_answer").to_example({"question": "q", "answers": answers})
    assert example == Chat((Turn("user", "q"), Turn("assistant", "a", True)))


def test_multiple_choice_answers_with_the_text_chosen() -> None:
    row = {"question": "کدام؟", "candidates": ["سیب", "به"], "answer": "2"}
    example = format_named("question_answer").to_example(row)
    assert example == Chat((Turn("user", "کدام؟\n\n1. سیب\n2. به"), Turn("assistant", "به", True)))


def test_sharegpt_ends_with_the_assistant() -> None:
    turns = [("human", "a"), ("gpt", "b"), ("human", "c")]
    row = {"conversations": [{"from": speaker, "value": value} for speaker, value in turns]}
    example = format_named("sharegpt").to_example(row)
    assert example == Chat((Turn("user", "a"), Turn("assistant", "b", True)))


def test_alpaca_input_and_system() -> None:
    row = {"instruction": "i", "input": "n", "output": "o", "system": "s"}
    example = format_named("alpaca").to_example(row)
    assert example == Chat((Turn("system", "s"), Turn("user", "i\n\nn"), Turn("assistant", "o", True)))


@pytest.mark.parametrize(("label", "text"), [(1, "1"), (True, "true"), (" مثبت ", "مثبت")])
def test_labels_become_text(label: Any, text: str) -> None:
    assert format_named("labelled_text").to_example({"text": "t", "label": label}) == LabelledText("t", text)


def test_pairs_and_plain_texts() -> None:
    pair = {"premise": "a", "hypothesis": "b", "label": "e"}
    assert format_named("labelled_text").to_example(pair) == LabelledText("a\nb", "e")
    assert format_named("text").to_example({"متن": "t"}) == PlainText("t")


_keys = st.sampled_from(
    [
        "messages",
        "role",
        "content",
        "weight",
        "conversations",
        "from",
        "value",
        "question",
        "answer",
        "answers",
        "text",
        "label",
        "candidates",
        "context",
        "prompt",
        "completion",
        "instruction",
        "output",
        "input",
        "type",
        "system",
        "sent1",
        "sent2",
        "سوال",
        "جواب",
        "chosen",
        "rejected",
        "tokens",
        "tags",
        "audio",
        "file_name",
    ]
) | st.text(max_size=5)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(_keys, _values, max_size=5))
def test_no_row_breaks_a_format(row: dict[str, Any]) -> None:
    for candidate in formats().values():
        candidate.detect(frozenset(row), row)
        if not candidate.validate(row):
            candidate.exchange(row)
            if candidate.trained:
                candidate.to_example(row)
