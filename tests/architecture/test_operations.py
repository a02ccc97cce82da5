"""Dashboards, alerts and runbooks belong together."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

_ROOT = Path(__file__).parents[2]
_BOARDS = sorted((_ROOT / "deploy/grafana/dashboards").glob("*.json"))
_ALERTS = _ROOT / "deploy/prometheus/alerts.yml"


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(_ALERTS.read_text())["groups"] for rule in group["rules"]]


def _counted() -> set[str]:
    """Every metric's name that the sources mention."""
    sources = [*(_ROOT / "shared/src").rglob("*.py"), *(_ROOT / "services").glob("*/src/**/*.py")]
    return {name for source in sources for name in re.findall(r'"(kargah_[a-z_]+)"', source.read_text())}


def test_the_dashboards_are_as_their_sources_say(tmp_path: Path) -> None:
    code = "import build, json; print(json.dumps({name: build.text_of(board) for name, board in build.BOARDS.items()}))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=_ROOT / "deploy/grafana",
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert {path.stem: path.read_text() for path in _BOARDS} == json.loads(told.stdout)


def test_the_operators_alerts_are_those_of_prometheus() -> None:
    rule = yaml.safe_load((_ROOT / "deploy/k8s/components/podmonitors/prometheusrule.yaml").read_text())
    assert rule["kind"] == "PrometheusRule"
    assert rule["spec"] == yaml.safe_load(_ALERTS.read_text())


def test_dashboards_have_names_that_stay() -> None:
    boards = [json.loads(path.read_text()) for path in _BOARDS]
    assert [board["uid"] for board in boards] == [f"kargah-{path.stem}" for path in _BOARDS]
    for board in boards:
        ids = [panel["id"] for panel in board["panels"]]
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("path", [_ALERTS, *_BOARDS], ids=lambda path: path.stem)
def test_only_what_is_counted_is_asked_for(path: Path) -> None:
    asked = set(re.findall(r"kargah_[a-z_]+", path.read_text()))
    ends = re.compile(r"_(bucket|sum|count)$")
    assert {ends.sub("", name) for name in asked} <= _counted()


def test_every_alert_has_its_runbook() -> None:
    pages = {
        line[3:].strip().lower() for line in (_ROOT / "docs/runbooks.md").read_text().splitlines() if line[:3] == "## "
    }
    named = {rule["annotations"]["runbook_url"].partition("#")[2] for rule in _rules()}
    assert named == {rule["alert"].lower() for rule in _rules()}
    assert named == pages - {"routine tasks"}


def test_every_alert_is_tried() -> None:
    tried = yaml.safe_load((_ALERTS.parent / "alerts_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tried for case in test.get("alert_rule_test", []) if case["exp_alerts"]}
    assert fired == {rule["alert"] for rule in _rules()}


def test_what_is_tried_of_the_boards_is_on_a_board() -> None:
    tried = yaml.safe_load((_ALERTS.parent / "alerts_test.yml").read_text())["tests"]
    asked = [json.dumps(case["expr"]) for test in tried for case in test.get("promql_expr_test", [])]
    boards = "".join(board.read_text() for board in (_ALERTS.parents[1] / "grafana/dashboards").glob("*.json"))
    assert asked and [question for question in asked if question not in boards] == []
