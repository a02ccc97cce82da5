"""Ask what the dashboards' panels ask."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg

from kargah.testing.servers.prometheus import PrometheusServer

_FOLDER = Path(__file__).parents[2] / "deploy/grafana/dashboards"
_SPANS = {"$__rate_interval": "20s", "$__interval": "5s", "$__range": "10m"}


@dataclass(frozen=True)
class Question:
    """A query of a panel, or of a variable."""

    board: str
    panel: str
    query: str
    in_sql: bool


def questions() -> Iterator[Question]:
    for path in sorted(_FOLDER.glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            yield from (_of_target(path.stem, panel["title"], target) for target in panel["targets"])
        for variable in board["templating"]["list"]:
            if str(variable["query"]).startswith("SELECT"):
                yield Question(path.stem, f"variable {variable['name']}", variable["query"], True)


def ask(question: Question, prometheus: PrometheusServer, database_url: str, chosen: Mapping[str, str]) -> int:
    """How many rows or series answer, with the variables as `chosen`. Raises what the server says of a wrong query."""
    query = question.query
    for name, value in _SPANS.items():
        query = query.replace(name, value)
    query = re.sub(r"\$\{?(\w+)\}?", lambda found: chosen[found[1]], query)
    if not question.in_sql:
        return len(prometheus.query(query))
    with psycopg.connect(database_url) as connection:
        return len(connection.execute(cast("LiteralString", query).replace("%", "%%")).fetchall())


def _of_target(board: str, panel: str, target: Mapping[str, Any]) -> Question:
    return Question(board, panel, target.get("rawSql") or target["expr"], "rawSql" in target)
