"""House rules that hold for the whole tree. Import rules are import-linter's, in pyproject.toml."""

from __future__ import annotations

import ast
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kargah.domain import job_state

ROOT = Path(__file__).parents[2]
_MAX_LINES = 600
_MAX_MEDIAN = 130
_SQL_MODULES = ("tables.py", "migrations", "shared/src/kargah/db/", "shared/src/kargah/testing/")


def _tracked(*patterns: str) -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _product_modules() -> list[Path]:
    return [path for path in _tracked("*.py") if "/src/" in path.as_posix()]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module


def _reads_environment(path: Path) -> bool:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            return True
    return False


@pytest.fixture(scope="module")
def modules() -> list[Path]:
    found = _product_modules()
    assert len(found) > 50, "the search for product modules found next to nothing"
    return found


def test_no_source_file_is_long() -> None:
    patterns = ("*.py", "*.ts", "*.tsx", "*.md", "*.sh", "Makefile", "*.yml", "*.yaml", "*.toml")
    long = {str(path.relative_to(ROOT)): _lines(path) for path in _tracked(*patterns) if _lines(path) > _MAX_LINES}
    assert long == {}


def test_the_median_module_is_small(modules: list[Path]) -> None:
    lengths = [_lines(path) for path in modules if path.name != "__init__.py"]
    assert statistics.median(lengths) <= _MAX_MEDIAN


def test_only_config_reads_the_environment(modules: list[Path]) -> None:
    offenders = [
        str(path.relative_to(ROOT)) for path in modules if path.name != "config.py" and _reads_environment(path)
    ]
    assert offenders == []


def test_only_repositories_and_tables_speak_sql(modules: list[Path]) -> None:
    offenders = []
    for path in modules:
        name = str(path.relative_to(ROOT))
        allowed = name.endswith("repository.py") or any(part in name for part in _SQL_MODULES)
        if not allowed and any(module.split(".")[0] == "sqlalchemy" for module in _imports(path)):
            offenders.append(name)
    assert offenders == []


def test_only_the_unit_of_work_commits(modules: list[Path]) -> None:
    offenders = []
    for path in modules:
        calls = (node.func for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call))
        commits = any(isinstance(call, ast.Attribute) and call.attr == "commit" for call in calls)
        if commits and "kargah/db/" not in path.as_posix():
            offenders.append(str(path.relative_to(ROOT)))
    assert offenders == []


def test_architecture_shows_the_state_table() -> None:
    assert job_state.table_markdown() in (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_no_room_is_called_utils(modules: list[Path]) -> None:
    vague = {"utils", "helpers", "common", "misc"}
    assert [path for path in modules if vague & {*path.with_suffix("").parts}] == []
