"""What may be pushed: the registry's own rules for files, and no file where a folder is."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath

from kargah.domain.errors import FieldError, Invalid, UnsupportedMedia
from kargah.domain.file_paths import problem_with_path
from kargah.domain.model_files import is_pickled, problem_with_file
from registry.repos.values import MAX_FILES, MODELS

_LONGEST_PATH = 512
_SAFE = "Only safetensors weights and plain configuration files are accepted in a model's repository."


def check_files(kind: str, paths: Collection[str]) -> None:
    """Raises UnsupportedMedia for files that can run code when they are loaded, Invalid for other unfit ones."""
    problems = {path: problem for path in paths if (problem := _problem(kind, path)) is not None}
    if not problems:
        return
    errors = [FieldError("path", f"{path[:200]!r} {problem}.", "unsafe_file") for path, problem in problems.items()]
    hint = _SAFE if kind == MODELS else None
    if all(is_pickled(path) for path in problems):
        raise UnsupportedMedia("Files of this kind can run code when they are loaded.", hint=hint, errors=errors[:100])
    raise Invalid("Some files are not accepted.", hint=hint, errors=errors[:100])


def check_tree(paths: Collection[str]) -> None:
    """Raises Invalid when a file is another's folder, or when there are too many."""
    if len(paths) > MAX_FILES:
        raise Invalid(f"The repository would have {len(paths)} files; at most {MAX_FILES} fit.")
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents}
    if clashing := sorted(folders.intersection(paths)):
        errors = [FieldError("path", f"{path[:200]!r} is a file and a folder.", "clash") for path in clashing[:20]]
        raise Invalid("Two files are in each other's way.", errors=errors)


def _problem(kind: str, path: str) -> str | None:
    if len(path) > _LONGEST_PATH:
        return f"is longer than {_LONGEST_PATH} characters"
    if path == ".git" or path.startswith(".git/"):
        return "is git's own"
    if kind == MODELS:
        return problem_with_file(path)
    if (problem := problem_with_path(path)) is not None:
        return problem
    return "is in a format that can run code when it is loaded (pickle and its like)" if is_pickled(path) else None
