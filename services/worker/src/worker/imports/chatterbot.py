"""The Persian conversations of the `chatterbot-corpus` package as question/answer rows.

A conversation there is a question and then its possible answers, and each answer makes a row of its own; only in
the file `conversations.yml` people take turns, and each turn that answers another makes a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from worker.imports.errors import ImportFailed


def read_corpus(language: str = "persian") -> Iterator[dict[str, str]]:
    """Rows `question`, `answer`, `category`, each pair once, in the order of the files. Raises ImportFailed."""
    seen: set[tuple[str, str]] = set()
    for path in _files(language):
        for conversation in _conversations(path):
            for question, answer in _pairs(conversation, turns=path.stem == "conversations"):
                if (question, answer) not in seen:
                    seen.add((question, answer))
                    yield {"question": question, "answer": answer, "category": path.stem}


def _files(language: str) -> list[Path]:
    spec = find_spec("chatterbot_corpus")
    if spec is None or not spec.submodule_search_locations:
        message = "the package chatterbot-corpus is not installed: pip install chatterbot-corpus"
        raise ImportFailed("corpus_missing", message)
    files = sorted((Path(spec.submodule_search_locations[0]) / "data" / language).glob("*.yml"))
    if not files:
        raise ImportFailed("corpus_missing", f"chatterbot-corpus holds no conversations in {language!r}")
    return files


def _conversations(path: Path) -> list[list[Any]]:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    found: list[list[Any]] = document["conversations"]
    return found


def _pairs(conversation: list[Any], *, turns: bool) -> Iterator[tuple[str, str]]:
    # Unquoted numbers and dates are no text to YAML, but they are to people.
    question, *answers = (str(turn).strip() for turn in conversation)
    questions = [question, *answers[:-1]] if turns else [question] * len(answers)
    return ((asked, said) for asked, said in zip(questions, answers, strict=True) if asked and said)
