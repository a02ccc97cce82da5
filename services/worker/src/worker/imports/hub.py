"""Data files of a dataset repository on a Hugging Face Hub, pinned to a commit; no script of it is run.

The hub and its token are those of HF_ENDPOINT and HF_TOKEN, which huggingface_hub reads itself.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # re-exported untyped

from kargah.domain.file_paths import problem_with_path
from kargah.domain.hub_repository import HubFile, files_of
from kargah.domain.splits import TRAIN
from worker.imports.errors import ImportFailed
from worker.imports.join import join
from worker.imports.split_files import Pieces, by_split, join_splits
from worker.installs.errors import InstallFailed
from worker.installs.hub import Download, commit_of, hub_errors
from worker.installs.reporter import Reporter

_SOURCE = re.compile(
    r"hf:(?P<repo>[\w.-]{1,96}/[\w.-]{1,96})(?:@(?P<revision>[\w./-]{1,100}))?(?::(?P<chosen>[\w./ -]{1,300}))?"
)
_DATA = re.compile(r"\.(jsonl|ndjson|json|csv|tsv|txt|parquet)(\.(gz|zst))?$", re.IGNORECASE)
_ABOUT = re.compile(r"(^|/)(dataset_infos?\.json|license[^/]*|readme[^/]*|requirements[^/]*|\.[^/]*)$", re.IGNORECASE)
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class HubSource:
    """`hf:owner/name[@revision][:file, folder or split]`."""

    repo: str
    revision: str | None
    chosen: str | None


def parse_hub_source(text: str) -> HubSource:
    """Raises ImportFailed for anything else."""
    match = _SOURCE.fullmatch(text)
    if match is None:
        raise ImportFailed("bad_source", f"no source: {text!r}", "hf:OWNER/NAME[@REVISION][:FILE or SPLIT]")
    return HubSource(match["repo"], match["revision"], match["chosen"])


def fetch_hub(
    source: HubSource,
    cache_dir: Path,
    target: Path,
    reporter: Reporter,
    max_bytes: int,
    *,
    endpoint: str | None = None,
) -> Path:
    """The chosen rows as one file in the folder `target`; its path. What was downloaded stays under `cache_dir` until
    then, so that a later try goes on from it. Raises ImportFailed."""
    try:
        return _fetch(source, cache_dir, target, reporter, max_bytes, endpoint)
    except InstallFailed as error:
        raise ImportFailed(error.code, error.message, error.hint, error.permanent) from error


def _fetch(
    source: HubSource, cache_dir: Path, target: Path, reporter: Reporter, max_bytes: int, endpoint: str | None
) -> Path:
    disable_progress_bars()
    with hub_errors(source.repo, source.revision):
        info = HfApi(endpoint=endpoint).dataset_info(source.repo, revision=source.revision, files_metadata=True)
    commit = commit_of(info)
    there = files_of(info.siblings)
    divided = split_files(there) if source.chosen is None else {}
    files = [file for found in divided.values() for file in found] or chosen_files(there, source.chosen)
    size = sum(file.size_bytes for file in files)
    if size > max_bytes:
        message = f"the files have {size:,} bytes, and at most {max_bytes:,} are taken"
        raise ImportFailed("too_large", message, "KARGAH_IMPORT_MAX_BYTES on the workers is the limit")
    reporter.log(f"{source.repo} at commit {commit}: {', '.join(file.path for file in files[:_SHOWN])}")
    download = Download(source.repo, commit, cache_dir / "hub-data" / commit, endpoint, reporter, "dataset")
    download.fetch(files, 1, 90)
    pieces = {name: [download.folder / file.path for file in found] for name, found in divided.items()}
    made = _divided(pieces, target, max_bytes, reporter) or join(
        pieces.get(TRAIN) or [download.folder / file.path for file in files], target
    )
    shutil.rmtree(download.folder, ignore_errors=True)
    return made


def _divided(pieces: Pieces, target: Path, max_bytes: int, reporter: Reporter) -> Path | None:
    """All splits as one file; None where there are none, or where they do not go together and one alone is taken."""
    if not pieces:
        return None
    reporter.progress(90, f"putting the splits {', '.join(pieces)} together")
    try:
        return join_splits(pieces, target, max_bytes)
    except ImportFailed as error:
        if error.code != "many_files":
            raise
        reporter.log(f"{error.message}; only {TRAIN} is taken. Another split: hf:OWNER/NAME:test")
        return None


def split_files(files: Mapping[str, HubFile]) -> dict[str, list[HubFile]]:
    """The data files by the split that their names tell; empty where that divides nothing."""
    found = by_split([path for path in sorted(files) if _is_data(path)])
    return {split: [files[path] for path in paths] for split, paths in found.items()}


def chosen_files(files: Mapping[str, HubFile], chosen: str | None) -> list[HubFile]:
    """The files that a source means: one file, those of a folder or a split, or without a choice the only one, else
    those of `train`. Raises ImportFailed and names what there is."""
    data = {path: file for path, file in sorted(files.items()) if _is_data(path)}
    if not data:
        scripts = any(path.endswith(".py") for path in files)
        hint = "its loading script is not run" if scripts else "JSONL, JSON, CSV, text and Parquet are read"
        raise ImportFailed("no_data", "the repository has no data files that can be read", hint)
    if chosen is None and len(data) == 1:
        return list(data.values())
    found = [file for path, file in data.items() if _means(chosen or "train", path)]
    if not found:
        shown = ", ".join(list(data)[:_SHOWN]) + (", ..." if len(data) > _SHOWN else "")
        what = "which of its files is meant" if chosen is None else f"{chosen!r} among its files"
        raise ImportFailed("not_found", f"the repository does not tell {what}", f"choose a file or a split: {shown}")
    return found


def _is_data(path: str) -> bool:
    return _DATA.search(path) is not None and _ABOUT.search(path) is None and problem_with_path(path) is None


def _means(chosen: str, path: str) -> bool:
    """A file or folder by its path; a split as a word of the path: `data/train-00000-of-00002.parquet` is `train`'s."""
    if path == chosen or path.startswith(chosen.rstrip("/") + "/"):
        return True
    return "/" not in chosen and chosen in re.split(r"[/._-]", _DATA.sub("", path))
