"""The Persian conversations of the `chatterbot-corpus` package as question/answer rows.

    python -m dataset_svc.imports.chatterbot persian.jsonl

A conversation there is a question and then its possible answers, and each answer makes a row of its own; only in
the file `conversations.yml` people take turns, and each turn that answers another makes a row.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml


class CorpusMissing(Exception):
    """The package `chatterbot-corpus` is not installed, or holds no such language."""


def read_corpus(language: str = "persian") -> Iterator[dict[str, str]]:
    """Rows `question`, `answer`, `category`, each pair once, in the order of the files. Raises CorpusMissing."""
    seen: set[tuple[str, str]] = set()
    for path in _files(language):
        for conversation in _conversations(path):
            for question, answer in _pairs(conversation, turns=path.stem == "conversations"):
                if (question, answer) not in seen:
                    seen.add((question, answer))
                    yield {"question": question, "answer": answer, "category": path.stem}


def corpus_bytes(language: str = "persian") -> bytes:
    """The rows as JSON lines in UTF-8, about 0.3 MB. Raises CorpusMissing."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in read_corpus(language)).encode()


def write_corpus(target: Path, language: str = "persian") -> int:
    """Write the rows to `target` as JSON lines; how many. Raises CorpusMissing, OSError."""
    lines = corpus_bytes(language)
    target.write_bytes(lines)
    return lines.count(b"\n")


def _files(language: str) -> list[Path]:
    spec = find_spec("chatterbot_corpus")
    if spec is None or not spec.submodule_search_locations:
        raise CorpusMissing("the package chatterbot-corpus is not installed: pip install chatterbot-corpus")
    files = sorted((Path(spec.submodule_search_locations[0]) / "data" / language).glob("*.yml"))
    if not files:
        raise CorpusMissing(f"chatterbot-corpus holds no conversations in {language!r}")
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


def main(arguments: list[str]) -> int:
    """The command line: where to write. Exit status 2 when that is missing, 1 when the corpus is."""
    if len(arguments) != 1:
        print("usage: python -m dataset_svc.imports.chatterbot OUT.jsonl", file=sys.stderr)
        return 2
    try:
        print(f"{write_corpus(Path(arguments[0])):,} rows written to {arguments[0]}")
    except CorpusMissing as missing:
        print(missing, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
