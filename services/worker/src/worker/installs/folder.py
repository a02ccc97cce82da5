"""A model folder on this machine: is it complete, safe to load, and what are its hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kargah.contracts.runs import FileEntry
from kargah.domain.model_files import (
    CONFIG_FILES,
    problem_with_code,
    problem_with_config,
    problem_with_file,
)
from worker.installs.errors import InstallFailed

_MAX_CONFIG_BYTES = 4 << 20


def describe_folder(folder: Path) -> list[FileEntry]:
    """Check a Hugging Face model folder and hash its files, sorted by path. Hidden files and folders are left out.

    Raises InstallFailed for links, pickled weights, code of its own, an unknown architecture or missing weights.
    """
    paths = sorted(_visible_files(folder))
    for path in paths:
        check_name(path.relative_to(folder).as_posix())
    check_configs(folder)
    if not any(path.suffix == ".safetensors" for path in paths):
        raise InstallFailed("no_safetensors", f"{folder.name} has no .safetensors weights")
    return [_entry(folder, path) for path in paths]


def check_name(path: str) -> None:
    """Refuse a file that is no part of a model here."""
    if (problem := problem_with_file(path)) is not None:
        raise InstallFailed("unsafe_file", f"file {path!r} {problem}", "only safetensors weights are accepted")


def check_configs(folder: Path) -> None:
    """Refuse configurations that need foreign code or name an unknown architecture; an adapter needs no config.json."""
    if not (folder / "config.json").exists() and not (folder / "adapter_config.json").exists():
        raise InstallFailed("no_config", "the model has no config.json")
    for name in (*CONFIG_FILES, "adapter_config.json"):
        path = folder / name
        if path.exists():
            check = problem_with_config if name == "config.json" else problem_with_code
            if (problem := check(read_json(path))) is not None:
                raise InstallFailed("refused_config", f"{name} {problem}")


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON object; InstallFailed when it is none."""
    if path.stat().st_size > _MAX_CONFIG_BYTES:
        raise InstallFailed("bad_config", f"{path.name} is larger than {_MAX_CONFIG_BYTES} bytes")
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InstallFailed("bad_config", f"{path.name} is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise InstallFailed("bad_config", f"{path.name} holds no JSON object")
    return value


def sha256_of(path: Path) -> str:
    """The file's sha256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _visible_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_symlink():
            raise InstallFailed("unsafe_file", f"{path.name!r} is a symbolic link")
        if path.is_dir():
            yield from _visible_files(path)
        else:
            yield path


def _entry(folder: Path, path: Path) -> FileEntry:
    return FileEntry(path=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size, sha256=sha256_of(path))
