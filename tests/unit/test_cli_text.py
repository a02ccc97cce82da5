"""What the command line says: whole, in 80 columns, and without obeying what stands in a row."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import typer
from rich.box import SIMPLE
from rich.table import Column, Table
from typer.testing import CliRunner

from kargah.backup.documents import Summary
from kargah.cli import context
from kargah.cli.backup_commands import backup_table
from kargah.cli.context import VisibleConsole, make_sure, tell_problem, versioned
from kargah.cli.follow import figures_of
from kargah.cli.main import app
from kargah.cli.text import one_line, row_value, sentences
from kargah.clients.datasets import default_name, import_name
from kargah.contracts.jobs import JobView, Progress
from kargah.contracts.problem import Problem, ProblemField
from kargah.domain.job_state import Status

_LONG = "no format has these columns, and so this sentence goes on until it is far longer than a terminal is wide"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What standard error of a terminal of 80 columns is told."""
    told = io.StringIO()
    console = VisibleConsole(file=told, force_terminal=True, color_system=None, width=80)
    monkeypatch.setattr(context, "errors", console)
    return told


def printed(*objects: object, width: int = 80) -> str:
    told = io.StringIO()
    VisibleConsole(file=told, width=width).print(*objects, highlight=False)
    return told.getvalue()


def test_a_terminal_is_not_obeyed_but_told() -> None:
    shown = printed("سلام \x1b]0;title\x1b[31m \u202eabc می\u200cرود")
    assert shown == "سلام ⟨001B⟩]0;title⟨001B⟩[31m ⟨202E⟩abc می\u200cرود\n"


def test_a_table_is_not_obeyed_either() -> None:
    table = Table("text", box=SIMPLE)
    table.add_row("\x1b[2J")
    assert "\x1b" not in printed(table) and "⟨001" in printed(table)


def problem(detail: str, *fields: ProblemField, hint: str | None = None) -> Problem:
    return Problem(title="Unprocessable", status=422, code="c", detail=detail, hint=hint, errors=[*fields])


def test_a_refusal_is_broken_between_words_and_says_nothing_twice(terminal: io.StringIO) -> None:
    faults = [ProblemField(field="row", message=_LONG, line=number, byte_offset=0) for number in (1, 2)]
    tell_problem(problem(_LONG, ProblemField(field="file", message=_LONG), *faults, hint=_LONG))
    lines = terminal.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    text = " ".join(terminal.getvalue().split())
    assert text == f"{_LONG} line 1 (byte 0), row: {_LONG} line 2 (byte 0), row: {_LONG}"
    assert [line for line in lines if line.startswith("  ")] == lines[2:]


def test_a_program_reads_a_refusal_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(context, "errors", VisibleConsole(file=told, width=80))
    tell_problem(problem(_LONG, ProblemField(field="name", message="no name"), hint="choose another"))
    assert told.getvalue() == f"{_LONG}\n  name: no name\nchoose another\n"


def test_what_many_lines_have_is_told_once_with_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(context, "errors", VisibleConsole(file=told, width=80))
    many = [ProblemField(field="part", message="missing", line=line, byte_offset=line * 10) for line in (1, 2, 5, 9)]
    other = ProblemField(field="part", message="no split", line=3, byte_offset=30)
    tell_problem(problem("5 problems", *many[:2], other, *many[2:]))
    assert told.getvalue() == ("5 problems\n  lines 1, 2, 5, 9, part: missing\n  line 3 (byte 30), part: no split\n")


def test_a_cell_says_that_it_was_cut() -> None:
    table = Table(Column("job", no_wrap=True, min_width=20), "name", box=SIMPLE)
    table.add_row("job_1", one_line("import https://example.com/some/where"))
    lines = printed(table, width=40).splitlines()
    assert max(map(len, lines)) <= 40 and lines[3].rstrip().endswith("…")


def test_sentences_end_before_the_next_begins() -> None:
    assert sentences("the hub is away", "try again later") == "the hub is away. Try again later."
    assert sentences("Why?", None) == "Why?"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("می\u200cرود", "می\u200cرود"),
        ([{"role": "user", "content": "می\u200cروی؟"}], "\n  user: می\u200cروی؟"),
        ([{"from": "human", "value": "سلام"}, {"from": "gpt", "value": "درود"}], "\n  human: سلام\n  gpt: درود"),
        ([{"role": "user", "content": "بد", "weight": 1}], '[{"role": "user", "content": "بد", "weight": 1}]'),
        (["می\u200cروم", None, True], '["می\u200cروم", null, true]'),
        ([], "[]"),
        (1.5, "1.5"),
    ],
)
def test_values_of_rows_are_shown_as_they_are_read(value: object, shown: str) -> None:
    assert row_value(value) == shown


def test_a_name_is_made_of_a_files_own_letters() -> None:
    assert default_name(Path("my data (2).v1.jsonl")) == "my-data--2"
    assert import_name("https://a.ir/x/qa.csv.gz", "persian") == "qa"


@pytest.mark.parametrize("file", ["سوال‌ها.csv", "داده2.jsonl", "café.txt", "-.json"])
def test_two_files_with_persian_names_do_not_become_one_dataset(file: str) -> None:
    with pytest.raises(ValueError, match="choose one"):
        default_name(Path("/x") / file)
    with pytest.raises(ValueError, match="choose one"):
        import_name(f"https://a.ir/{quote(file)}", "persian")


def test_an_upload_of_such_a_file_asks_for_a_name(tmp_path: Path) -> None:
    file = tmp_path / "متن.txt"
    file.write_text("سلام\nدرود\n")
    refused = CliRunner().invoke(app, ["--url", "http://127.0.0.1:1", "dataset", "upload", str(file)])
    assert refused.exit_code == 2 and "--name" in refused.output


def test_a_folder_without_a_model_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("no model")
    refused = CliRunner().invoke(app, ["--url", "http://127.0.0.1:1", "model", "install", str(tmp_path)])
    assert refused.exit_code == 2 and "adapter_config.json" in refused.output


def test_a_version_is_named_once() -> None:
    assert versioned("owner/d@2", None) == ("owner/d", 2)
    assert versioned("d", 3) == ("d", 3)
    assert versioned("d@production", None) == ("d@production", None)
    with pytest.raises(typer.BadParameter, match="is not version 3"):
        versioned("d@2", 3)


class Typed(io.StringIO):
    """What a person types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stdin", "yes", "goes_on"),
    [(Typed("n\n"), False, False), (Typed("y\n"), False, True), (Typed(), True, True), (io.StringIO(), False, True)],
)
def test_a_person_is_asked_before_a_delete(
    stdin: io.StringIO, yes: bool, goes_on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", stdin)
    if goes_on:
        make_sure("Delete it?", yes)
        return
    with pytest.raises(typer.Exit) as ended:
        make_sure("Delete it?", yes)
    assert ended.value.exit_code == 1


@pytest.mark.parametrize(
    ("status", "progress", "told"),
    [
        (Status.EVALUATING, {"step": 0, "evaluated": 12, "to_evaluate": 29}, "evaluating 12/29"),
        (Status.EVALUATING, {"step": 4, "total_steps": 9, "phase": "saving"}, "saving · 4/9"),
        (Status.TRAINING, {"step": 4, "total_steps": 9, "eta_seconds": 61.0}, "training · 4/9 · 1:01 left"),
        (Status.COMPLETED, {"step": 9, "total_steps": 9, "phase": "saving"}, "completed · 9/9"),
    ],
)
def test_the_bar_says_what_a_job_is_at(status: Status, progress: dict[str, Any], told: str) -> None:
    assert figures_of(JobView.model_construct(status=status, progress=Progress(**progress))) == told


@pytest.mark.parametrize("width", [80, 160])
def test_backups_fit_into_a_line_each(width: int) -> None:
    counts = {"jobs": 1, "checkpoints": 2}
    fields = {"objects": 20, "objects_bytes": 390_000_000, "database_bytes": 1, "added_bytes": 22_000}
    one = Summary.model_construct(id="20261123T072512Z-ca8e", created_at=datetime.now(UTC), counts=counts, **fields)
    shown = printed(backup_table([one], wide=width > 80), width=width)
    assert one.id in shown and len(shown.strip().splitlines()) == 3
    assert ("1 job, 2 checkpoints" in shown) == (width > 80)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--help"], "http://127.0.0.1:8080"),
        (["dataset", "import", "--help"], "[@REVISION]"),
        (["model", "install", "--help"], "[@revision]"),
        (["model", "export", "--help"], "[default: f16]"),
    ],
)
def test_brackets_in_the_help_are_shown(words: list[str], told: str) -> None:
    shown = CliRunner().invoke(app, words, terminal_width=200, env={"COLUMNS": "200"})
    assert told in shown.output
