"""What a block of rows of one shape is expected to hold, learned from one good row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kargah.formats import alpaca, labelled_text, prompt_completion, question_answer, sharegpt, text
from kargah.formats.columns import Column
from kargah.formats.message_list import ROLES

Row = Mapping[str, Any]
TEXT, WHOLE, NUMBER, TRUTH, TEXTS = "text", "whole", "number", "truth", "texts"
_SYSTEM = frozenset({"system"})
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Turns:
    """A column of conversations: the keys of each turn, who speaks, and who of them may say nothing."""

    column: str
    role: str
    text: str
    roles: frozenset[str]
    silent: frozenset[str]
    assistants: frozenset[str]


@dataclass(frozen=True, slots=True)
class Said:
    """Columns of a flat row: `texts` must say something; an exchange asks the `asked` ones, put together with `joint`
    (None: nothing stands there), and answers with `answer`. `verdict` and `label` are columns, too."""

    texts: tuple[str, ...]
    asked: tuple[str | None, ...]
    joint: str
    answer: str
    verdict: str | None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`columns`: the kind of each column but that of `turns`. Exactly one of `turns` and `said` is given."""

    columns: dict[str, str]
    turns: Turns | None
    said: Said | None


_MESSAGES = Turns(
    "messages",
    "role",
    "content",
    frozenset(ROLES),
    frozenset(role for role, means in ROLES.items() if means == "system"),
    frozenset({"assistant"}),
)
_SHAREGPT = Turns("conversations", "from", "value", frozenset(sharegpt.ROLES), _SYSTEM, frozenset(sharegpt.ASSISTANTS))


def plan_for(name: str, row: Row) -> Plan | None:
    """The plan for rows with the columns of `row`, a good one of the format `name`; None where there is none."""
    turns = _turns(name, row)
    columns = {key: kind for key, value in row.items() if (kind := _kind(value)) is not None}
    known = len(columns) + (turns is not None) == len(row)
    said = _SAID[name](row) if name in _SAID and turns is None else None
    if not known or (turns is None and (said is None or not _are_texts(said, columns))):
        return None
    return Plan(columns, turns, said)


def _kind(value: Any) -> str | None:
    if isinstance(value, str):
        return TEXT
    if isinstance(value, bool):
        return TRUTH
    if isinstance(value, int):
        return WHOLE if _LEAST <= value <= _MOST else None
    if isinstance(value, float):
        return NUMBER
    is_texts = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
    return TEXTS if is_texts else None


def _are_texts(said: Said, columns: Mapping[str, str]) -> bool:
    return all(columns.get(name) == TEXT for name in {*said.texts, *filter(None, said.asked)})


def _turns(name: str, row: Row) -> Turns | None:
    if name == "messages":
        return _MESSAGES if _are_plain(row["messages"], _MESSAGES) else None
    key = _key(sharegpt.CONVERSATIONS, row) if name == "sharegpt" else None
    if key is None:
        return None
    found = replace(_SHAREGPT, column=key)
    return found if _are_plain(row[key], found) else None


def _are_plain(turns: list[Mapping[str, Any]], names: Turns) -> bool:
    return all(turn.keys() == {names.role, names.text} for turn in turns)


def _key(column: Column, row: Row) -> str | None:
    """Where the column stands, if that does not hang on the order of the row's keys."""
    key = column.key(row)
    return key if key == column.key({name: row[name] for name in reversed(list(row))}) else None


def _question_answer(row: Row) -> Said | None:
    question, answer = _key(question_answer.QUESTION, row), _key(question_answer.ANSWER, row)
    if question is None or answer is None or question_answer.CANDIDATES in row:
        return None
    if question_answer.CONTEXT.key(row) is None:
        return Said((question, answer), (question,), "", answer, answer)
    context = _key(question_answer.CONTEXT, row)
    return None if context is None else Said((context, question, answer), (context, question), "\n\n", answer, answer)


def _prompt_completion(row: Row) -> Said | None:
    prompt, completion = _key(prompt_completion.PROMPT, row), _key(prompt_completion.COMPLETION, row)
    if prompt is None or completion is None:
        return None
    return Said((prompt, completion), (prompt,), "", completion, completion)


def _alpaca(row: Row) -> Said | None:
    asked = [_key(column, row) for column in (alpaca.SYSTEM, alpaca.INSTRUCTION, alpaca.INPUT)]
    given = [column.key(row) for column in (alpaca.SYSTEM, alpaca.INSTRUCTION, alpaca.INPUT)]
    output = _key(alpaca.OUTPUT, row)
    if asked != given or asked[1] is None or output is None:
        return None
    return Said((asked[1], output), tuple(asked), "\n", output, output)


def _text(row: Row) -> Said | None:
    key = _key(text.TEXT, row)
    return None if key is None else Said((key,), (key,), "", key, None)


def _labelled(row: Row) -> Said | None:
    key, label = _key(labelled_text.TEXT, row), _key(labelled_text.LABEL, row)
    if key is None or label is None:
        return None
    return Said((key,), (key,), "", key, label, label)


_SAID: dict[str, Callable[[Row], Said | None]] = {
    "question_answer": _question_answer,
    "prompt_completion": _prompt_completion,
    "alpaca": _alpaca,
    "text": _text,
    "labelled_text": _labelled,
}
