"""With `--json` every refusal of the command is one problem object on standard error."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from kargah.cli.main import main
from kargah.cli.refusals import listen
from kargah.contracts.problem import Problem
from kargah.testing.serving import served

DEAD = "http://127.0.0.1:9"
PROBLEM = Problem(title="Conflict", status=409, code="conflict", detail="در کار است", hint="Wait.")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run the command; its exit code, and what it says on standard output and standard error."""

    def call(*words: object, url: str = DEAD) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["kargah", "--url", url, *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    yield call
    listen([])


@pytest.fixture(scope="module")
def refusing() -> Iterator[str]:
    """A platform that refuses everything."""
    app = Flask("refusing")

    @app.route("/<path:path>", methods=["GET", "DELETE"])
    def refuse(path: str) -> tuple[str, int]:
        return PROBLEM.model_dump_json(by_alias=True), 409

    with served(app) as url:
        yield url


def told(said: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said)
    return found


def test_a_refusal_of_the_platform_is_passed_on_as_it_is(run: Run, refusing: str) -> None:
    code, out, err = run("dataset", "delete", "d@2", "--yes", "--json", url=refusing)
    assert (code, out, Problem.model_validate(told(err))) == (1, "", PROBLEM)
    code, out, err = run("dataset", "delete", "d@2", "--yes", url=refusing)
    assert (code, out) == (1, "") and err.split() == ["در", "کار", "است", "Wait."]


@pytest.mark.parametrize(
    ("words", "exit_code", "code", "status", "named"),
    [
        (["dataset", "list"], 3, "unreachable", 503, DEAD),
        (["down", "--data", "absent"], 3, "not_running", 404, "absent"),
        (["dataset", "list", "--nothing"], 2, "usage", 400, "--nothing"),
        (["dataset", "show"], 2, "usage", 400, "name"),
        (["nothing"], 2, "usage", 400, "nothing"),
        (["dataset", "download", "d@2", "rows", "--version", "3"], 2, "usage", 400, "--version"),
    ],
)
def test_so_is_what_the_command_refuses_itself(
    run: Run,
    words: list[str],
    exit_code: int,
    code: str,
    status: int,
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    ended, out, err = run(*words, "--json")
    problem = told(err)
    assert (ended, out, problem["code"], problem["status"]) == (exit_code, "", code, status)
    assert named in problem["detail"]
    ended, out, plain = run(*words)
    assert (ended, out) == (exit_code, "") and named in plain and not plain.startswith("{")


def test_help_and_what_stands_behind_two_dashes_is_no_wish_for_json(run: Run) -> None:
    code, out, err = run("dataset", "delete", "--json", "--help")
    assert (code, err) == (0, "") and "Delete a dataset" in out
    assert not listen(["chat", "--", "--json"]) and listen(["jobs", "--json"])
