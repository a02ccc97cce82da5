"""Parts of Grafana dashboards as plain dictionaries, in Grafana's own schema (version 39, Grafana 11 and later)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]
PROMETHEUS: Json = {"type": "prometheus", "uid": "${metrics}"}
POSTGRES: Json = {"type": "grafana-postgresql-datasource", "uid": "${database}"}
_WIDTH = 24
_SCHEMA = 39


def graph(title: str, queries: Mapping[str, str], unit: str = "short", *, text: str = "", **field: Any) -> Json:
    """Lines over time; `queries` are PromQL by legend."""
    return _panel("timeseries", title, text, unit, _promql(queries), field)


def number(title: str, query: str, unit: str = "short", *, text: str = "", bad: float | None = None) -> Json:
    """One figure, red from `bad` on."""
    steps: list[Json] = [{"color": "green", "value": None}]
    if bad is not None:
        steps.append({"color": "red", "value": bad})
    field = {"thresholds": {"mode": "absolute", "steps": steps}}
    return _panel("stat", title, text, unit, _promql({"": query}), field)


def series(title: str, sql: str, unit: str = "short", *, text: str = "", log: bool = False) -> Json:
    """Lines over time out of Postgres: columns `time`, and a value by name."""
    custom = {"scaleDistribution": {"type": "log", "log": 10}} if log else {}
    return _panel("timeseries", title, text, unit, _sql(sql, "time_series"), {"custom": custom})


def steps(title: str, sql: str, unit: str = "short", *, text: str = "") -> Json:
    """Lines over steps out of Postgres: a column `step`, and a value by name."""
    return _panel("trend", title, text, unit, _sql(sql, "table"), {}) | {"options": {"xField": "step"}}


def table(title: str, sql: str, *, text: str = "") -> Json:
    """Rows out of Postgres."""
    return _panel("table", title, text, "none", _sql(sql, "table"), {})


def log(title: str, sql: str) -> Json:
    """Lines of a log out of Postgres: columns `time`, `level`, `message`."""
    options = {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending"}
    return _panel("logs", title, "", "none", _sql(sql, "table"), {}) | {"options": options}


def dashboard(uid: str, title: str, rows: Sequence[Sequence[Json]], *more: Json, page: str = "/") -> Json:
    """`rows` of panels that share the width; `more` are variables beside the data sources; `page`: the Studio's that
    shows the same."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["kargah"],
        "timezone": "browser",
        "schemaVersion": _SCHEMA,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [_LINKS, _studio(page)],
        "templating": {"list": [_source("metrics", "prometheus"), _source("database", POSTGRES["type"]), *more]},
        "panels": _placed(rows),
    }


def variable(name: str, label: str, source: Json, query: str, *, every: bool = False) -> Json:
    """A choice that a query fills; `every` adds "all"."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": source,
        "query": query,
        "refresh": 2,
        "includeAll": every,
        "multi": every,
        **({"allValue": ".*"} if every else {}),
    }


def text_variable(name: str, label: str, value: str) -> Json:
    return {"name": name, "label": label, "type": "textbox", "query": value, "current": {"text": value, "value": value}}


def _source(name: str, kind: str) -> Json:
    return {"name": name, "label": name.capitalize(), "type": "datasource", "query": kind, "refresh": 1}


_LINKS: Json = {"type": "dashboards", "title": "Kargah", "tags": ["kargah"], "asDropdown": True, "keepTime": True}


def _studio(page: str) -> Json:
    return {"type": "link", "title": "Training Studio", "url": "${kargah}/studio" + page, "targetBlank": True}


def _panel(kind: str, title: str, text: str, unit: str, targets: list[Json], field: Json) -> Json:
    return {
        "type": kind,
        "title": title,
        **({"description": text} if text else {}),
        "datasource": targets[0]["datasource"],
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": unit, **field}, "overrides": []},
    }


def _promql(queries: Mapping[str, str]) -> list[Json]:
    return [
        {"refId": chr(ord("A") + place), "datasource": PROMETHEUS, "expr": query, "legendFormat": legend or "__auto"}
        for place, (legend, query) in enumerate(queries.items())
    ]


def _sql(sql: str, shape: str) -> list[Json]:
    query = {"refId": "A", "datasource": POSTGRES, "rawSql": sql, "rawQuery": True, "editorMode": "code"}
    return [query | {"format": shape}]


def _placed(rows: Sequence[Sequence[Json]]) -> list[Json]:
    placed, top = [], 0
    for row in rows:
        height = 4 if all(panel["type"] == "stat" for panel in row) else 8
        width = _WIDTH // len(row)
        for place, panel in enumerate(row):
            where = {"x": place * width, "y": top, "w": width, "h": height}
            placed.append({"id": len(placed) + 1, "gridPos": where, **panel})
        top += height
    return placed
