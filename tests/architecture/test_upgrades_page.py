"""docs/upgrades.md says of every migration whom it stops."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kargah.db.migrate import steps, versions_folder

PAGE = Path(__file__).parents[2] / "docs" / "upgrades.md"
_FIRST = "0001"


@pytest.mark.parametrize("service", ["gateway", "dataset-svc", "registry"])
def test_every_step_has_its_rows(service: str) -> None:
    rows = re.findall(
        rf"^\| {service} \| (\d+) \| (`\w+`|-) \| (\w+|-) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    known = set(steps(versions_folder(service))) - {_FIRST}
    assert {step for step, _table, _lock in rows} == known, (
        "see tests/integration/test_upgrades.py, which prints the rows"
    )
    assert all((table == "-") == (lock == "-") for _step, table, lock in rows)
    quiet = [step for step, table, _lock in rows if table == "-"]
    assert all([step for step, _table, _lock in rows].count(step) == 1 for step in quiet), "it stops nobody, or it does"
