"""Strict checks of resources that Kubernetes itself does not know: KEDA's, the Prometheus operator's, JobSet's.

The schemas are read, not run, out of wheels whose classes are generated from the operators' own definitions: which
fields there are, which are required, and what they hold.
"""

from __future__ import annotations

import ast
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_SOURCES = {
    "keda.sh/v1alpha1": ("cloudcoil_models_keda-*.whl", "cloudcoil/models/keda/v1alpha1.py"),
    "monitoring.coreos.com/v1": (
        "cloudcoil_models_prometheus_operator-*.whl",
        "cloudcoil/models/prometheus_operator/v1.py",
    ),
    "jobset.x-k8s.io/v1alpha2": ("kubeflow_trainer_api-*.whl", "kubeflow_trainer_api/models/"),
}
_PREFIXES = {"JobSet": "JobsetV1alpha2JobSet"}
_STRICT = {"StrictStr": str, "StrictInt": int, "StrictBool": bool, "StrictFloat": (int, float)}
_SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float), **_STRICT}


@dataclass(frozen=True)
class Field:
    """`holds` is the annotation; the first name in it says what the value must be."""

    holds: ast.expr
    required: bool


@dataclass
class Schemas:
    """Classes by name, each with its fields by their name in YAML."""

    classes: dict[str, dict[str, Field]] = field(default_factory=dict)

    def problems(self, document: dict[str, Any]) -> list[str]:
        """What is wrong with it, by path; empty when nothing is."""
        kind = _PREFIXES.get(document["kind"], document["kind"])
        if kind not in self.classes:
            return [f"there is no kind {kind}"]
        body = {name: value for name, value in document.items() if name not in ("apiVersion", "kind", "metadata")}
        return list(self._object(kind, body, kind))

    def _object(self, name: str, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} must be an object"
            return
        fields = self.classes[name]
        for key, member in value.items():
            if key not in fields:
                yield f"{path}.{key}: there is no such field"
            else:
                yield from self._value(fields[key].holds, member, f"{path}.{key}")
        for key, known in fields.items():
            if known.required and key not in value and key not in ("apiVersion", "kind", "metadata"):
                yield f"{path}.{key} is missing"

    def _value(self, holds: ast.expr, value: Any, path: str) -> Iterator[str]:
        match holds:
            case ast.BinOp(left=one, right=other):  # `X | None`; of two possibilities, one must fit
                found = [list(self._value(option, value, path)) for option in (one, other) if not _is_none(option)]
                yield from min(found, key=len)
            case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[inner, *_])):
                yield from self._value(inner, value, path)
            case ast.Subscript(value=ast.Name(id="Optional"), slice=inner):
                yield from self._value(inner, value, path)
            case ast.Subscript(value=ast.Name(id="list" | "List"), slice=inner):
                yield from self._list(inner, value, path)
            case ast.Subscript(value=ast.Name(id="dict" | "Dict"), slice=ast.Tuple(elts=[_, inner])):
                yield from self._map(inner, value, path)
            case ast.Subscript(value=ast.Name(id="Literal"), slice=options):
                allowed = ast.literal_eval(options)
                if value not in (allowed if isinstance(allowed, tuple) else (allowed,)):
                    yield f"{path}: {value!r} is none of {allowed}"
            case ast.Name(id=name) | ast.Constant(value=str(name)):
                yield from self._named(name, value, path)

    def _named(self, name: str, value: Any, path: str) -> Iterator[str]:
        if name in self.classes:
            yield from self._object(name, value, path)
        elif name in _SCALARS and (
            not isinstance(value, _SCALARS[name]) or (_SCALARS[name] is int and isinstance(value, bool))
        ):
            yield f"{path}: {value!r} is no {name}"

    def _list(self, inner: ast.expr, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield f"{path} must be a list"
            return
        for index, member in enumerate(value):
            yield from self._value(inner, member, f"{path}[{index}]")

    def _map(self, inner: ast.expr, value: Any, path: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{path} must be an object"
            return
        for key, member in value.items():
            yield from self._value(inner, member, f"{path}.{key}")


def read_schemas(wheels: Path) -> dict[str, Schemas]:
    """By apiVersion. Raises StopIteration when a wheel is missing."""
    found = {}
    for version, (pattern, modules) in _SOURCES.items():
        with zipfile.ZipFile(next(wheels.glob(pattern))) as wheel:
            names = [name for name in wheel.namelist() if name.startswith(modules) and name.endswith(".py")]
            classes = [each for name in names for each in _classes(ast.parse(wheel.read(name)))]
            found[version] = Schemas(dict(classes))
    return found


def _classes(module: ast.Module) -> Iterator[tuple[str, dict[str, Field]]]:
    """All but those of bare values, quantities say, which take numbers and texts."""
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not _is_bare(node):
            yield node.name, dict(_field(line) for line in node.body if _is_field(line))


def _is_bare(node: ast.ClassDef) -> bool:
    names = {
        line.target.id for line in node.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }
    return "actual_instance" in names or any("RootModel" in ast.dump(base) for base in node.bases)


def _is_field(line: ast.stmt) -> bool:
    return isinstance(line, ast.AnnAssign) and "ClassVar" not in ast.dump(line.annotation)


def _field(line: ast.stmt) -> tuple[str, Field]:
    assert isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    aliases = [
        keyword.value.value
        for node in ast.walk(line)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "alias" and isinstance(keyword.value, ast.Constant)
    ]
    return str(aliases[0] if aliases else line.target.id), Field(line.annotation, not _has_default(line.value))


def _has_default(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return any(keyword.arg == "default" for keyword in value.keywords)
    return value is not None


def _is_none(option: ast.expr) -> bool:
    return isinstance(option, ast.Constant) and option.value is None
