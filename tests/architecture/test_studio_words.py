"""Each code with which the services tell of a failure has its words on the Studio's Persian pages, and no other has."""

from __future__ import annotations

import ast
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from kargah.contracts.queue import Wait
from kargah.domain.job_state import Cause

ROOT = Path(__file__).parents[2]
_TEXTS = ROOT / "services/studio/src/i18n/fa"
# What nobody at the Studio meets: the Hub's own protocol, backups, the command line, what tests stand on.
_ELSEWHERE = re.compile(r"/(registry/hub|kargah/backup|kargah/cli|kargah/clients|kargah/embedded|testing)/")

Part = Literal["request", "field", "job"]


class _Maker(NamedTuple):
    """What makes an error: where its code stands among the arguments, and which part of the words tells of it."""

    place: int
    part: Part


_MAKERS: Mapping[str, _Maker] = {
    **dict.fromkeys(("RowFault", "file_refusal"), _Maker(0, "field")),
    **dict.fromkeys(("RowError", "fault", "_incomplete"), _Maker(1, "field")),
    **dict.fromkeys(("FieldError", "_refused", "_fault"), _Maker(2, "field")),
    "Fault": _Maker(3, "field"),
    **dict.fromkeys(("TrainingError", "InstallFailed", "ImportFailed", "_input_error"), _Maker(0, "job")),
    **dict.fromkeys(("JobError", "FailedMessage", "RepositoryRefused"), _Maker(0, "job")),
}
# Codes that no call names: of JSON Schema (gateway.jobs.param_messages), of unpackers by their name, of pydantic.
_UNNAMED = {
    *("out_of_range", "wrong_type", "not_a_choice", "gzip", "zstd"),
    *("string_too_short", "string_too_long", "string_pattern_mismatch", "string_type", "too_short", "too_long"),
    *("int_type", "int_parsing", "int_from_float", "float_type", "float_parsing", "bool_type", "bool_parsing"),
    *("greater_than", "greater_than_equal", "less_than", "less_than_equal", "literal_error", "enum", "value_error"),
    *("list_type", "dict_type", "datetime_from_date_parsing"),
}
# As OpenAI's API calls them, in answers under `/v1`.
_OPENAI = {"rate_limit_exceeded", "model_not_found"}


def _modules() -> list[Path]:
    roots = [ROOT / "shared/src", *ROOT.glob("services/*/src")]
    return [path for root in roots for path in root.rglob("*.py") if not _ELSEWHERE.search(path.as_posix())]


def _found(module: ast.Module) -> Iterator[tuple[Part, str]]:
    names = _constants(module)
    for node in ast.walk(module):
        if isinstance(node, ast.ClassDef):
            yield from (("request", code) for code in _class_code(node))
        elif isinstance(node, ast.Call) and (maker := _MAKERS.get(_called(node.func))) is not None:
            yield from ((maker.part, code) for code in _codes(_argument(node, maker.place), names))


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _argument(call: ast.Call, place: int) -> ast.expr | None:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
    return next(iter([*named, *call.args[place : place + 1]]), None)


def _codes(argument: ast.expr | None, names: Mapping[str, str]) -> Iterator[str]:
    """Those that are written there: as they are, by the name of a constant, or one of two."""
    match argument:
        case ast.Constant(value=str(code)):
            yield code
        case ast.Name(id=name) if name in names:
            yield names[name]
        case ast.IfExp(body=one, orelse=other):
            yield from _codes(one, names)
            yield from _codes(other, names)


def _constants(module: ast.Module) -> Mapping[str, str]:
    return {
        target.id: node.value.value
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _class_code(definition: ast.ClassDef) -> Iterator[str]:
    """`code = "conflict"` in the body of an error; a field's default is none."""
    for node in definition.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        of_class = isinstance(node, ast.Assign) or "ClassVar" in ast.dump(getattr(node, "annotation", ast.Pass()))
        if of_class and isinstance(target, ast.Name) and target.id == "code":
            yield from _codes(getattr(node, "value", None), {})


@pytest.fixture(scope="module")
def sent() -> Mapping[Part, set[str]]:
    """What the services send, by the part of the words that tells of it."""
    codes: dict[Part, set[str]] = defaultdict(set, field=_UNNAMED | {"invalid"}, request=set(_OPENAI))
    for path in _modules():
        for part, code in _found(ast.parse(path.read_text(encoding="utf-8"))):
            codes[part].add(code)
    assert len(codes["job"]) > 60 and len(codes["field"]) > 80, "the search found next to nothing"
    return codes


def _words(name: str) -> dict[str, Any]:
    return dict(json.loads((_TEXTS / name).read_text(encoding="utf-8")))


@pytest.mark.parametrize("part", ["request", "field", "job"])
def test_every_code_has_words_and_no_other(sent: Mapping[Part, set[str]], part: Part) -> None:
    told = _words("failures.json")[part]
    assert sent[part] - told.keys() == set(), "write their words into services/studio/src/i18n/fa/failures.json"
    assert told.keys() - sent[part] == set(), "nobody sends these any more"


def test_what_became_of_a_job_is_said_with_a_way_out() -> None:
    told = _words("failures.json")["job"]
    assert {code for code, words in told.items() if set(words) != {"title", "way"}} == set()


def test_every_reason_to_wait_has_words() -> None:
    assert set(_words("jobs.json")["queue"]) - {"place"} == {reason.value for reason in Wait}


def test_every_cause_of_going_back_into_the_queue_has_words() -> None:
    assert set(_words("job.json")["timeline"]["causes"]) == {cause.value for cause in Cause}
