"""A Flask app asked on behalf of a project, without anybody logging in; and every route that it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from kargah.domain.scope import project_scope

_PART = re.compile(r"<(?:[^:<>]*:)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Scoped:
    """A test client whose requests are for one project, their streamed answers included."""

    client: Any
    project: str

    def open(self, *given: Any, **options: Any) -> Any:
        """Send it, and read all of the answer."""
        with project_scope(self.project):
            answer = self.client.open(*given, **options)
            answer.get_data()
        return answer

    def get(self, path: str, **options: Any) -> Any:
        return self.open(path, method="GET", **options)

    def post(self, path: str, **options: Any) -> Any:
        return self.open(path, method="POST", **options)

    def put(self, path: str, **options: Any) -> Any:
        return self.open(path, method="PUT", **options)

    def delete(self, path: str, **options: Any) -> Any:
        return self.open(path, method="DELETE", **options)


def scoped_client(app: Flask, project: str) -> Scoped:
    """Requests for `project`."""
    return Scoped(app.test_client(), project)


@dataclass(frozen=True, slots=True)
class Asked:
    """A route with values in its path: `values` are the names of those that it has."""

    name: str
    method: str
    path: str
    values: tuple[str, ...]


def routes_of(app: Flask, prefix: str, values: Mapping[str, str]) -> Iterator[Asked]:
    """Every route below `prefix`, each method apart. Raises KeyError for a part of a path that has no value."""
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(prefix):
            continue
        names = tuple(_PART.findall(rule.rule))
        path = _PART.sub(lambda part: values[part[1]], rule.rule)
        for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
            yield Asked(rule.endpoint.rpartition(".")[2], method, path, names)
