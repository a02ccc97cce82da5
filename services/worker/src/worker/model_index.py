"""transformers learns at import what each of its two thousand files defines: it splits all of them into lines, twice.

Here it does so once, and only from where a file says so: that was a fifth of the work of starting a trainer or a chat.
It takes effect when transformers is imported, and leaves a release alone that goes about it in another way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import cache, wraps
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any

_READER = "transformers.utils.import_utils"
_EXPORTS = "fetch__all__"
_FOLDER = "create_import_structure_from_path"
_MARK = "__all__"


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        if hasattr(module, _EXPORTS) and hasattr(module, _FOLDER):
            setattr(module, _EXPORTS, _from_the_mark(getattr(module, _EXPORTS)))
            setattr(module, _FOLDER, _once(getattr(module, _FOLDER)))


class _Finder:
    """Finds that one module, as Python would, and has it loaded by the loader above."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _READER:
            return None
        found = PathFinder.find_spec(name, path, target)
        if found is not None and isinstance(found.loader, SourceFileLoader):
            found.loader = _Loader(name, found.loader.path)
        return found


def install() -> None:
    """For this process; again is harmless."""
    if _Finder not in sys.meta_path:
        sys.meta_path.insert(0, _Finder)


def _from_the_mark(read: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """`read` goes by the last line that begins with the mark, so that nothing before it matters."""

    @wraps(read)
    def exports(content: str) -> list[str]:
        start = content.rfind(f"\n{_MARK}")
        if start >= 0:
            return read(content[start + 1 :])
        return read(content) if content.startswith(_MARK) else []

    return exports


def _once(read: Callable[[str], dict[str, Any]]) -> Callable[[str], dict[str, Any]]:
    """`read` takes a folder, or a file for the folder that it is in."""
    of_folder = cache(read)

    @wraps(read)
    def structure(path: str) -> dict[str, Any]:
        return of_folder(os.path.dirname(path) if os.path.isfile(path) else os.fspath(path))

    return structure
