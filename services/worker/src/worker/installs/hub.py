"""Base models from a Hugging Face Hub: pinned to a commit, safetensors only, resumable, verified.

The hub and its token are those of HF_ENDPOINT and HF_TOKEN, which huggingface_hub reads itself.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import httpx2
from huggingface_hub import DatasetInfo, HfApi, ModelInfo, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    IncompleteSnapshotError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # re-exported untyped

from kargah.domain.hub_repository import (
    INDEX,
    HubFile,
    RepositoryRefused,
    announced_weights,
    files_of,
    licence_of,
    small_files,
    weight_files,
)
from worker.installs.errors import InstallFailed
from worker.installs.folder import check_configs, read_json, sha256_of
from worker.installs.pace import Pace
from worker.installs.range_download import PART, download, size_of
from worker.installs.reporter import Reporter
from worker.installs.watched import watched

_SPARE_BYTES = 1 << 30


def install_hub(
    repo: str,
    revision: str | None,
    cache_dir: Path,
    target: Path,
    reporter: Reporter,
    *,
    endpoint: str | None = None,
) -> str:
    """Make the model folder `target` from `repo` at `revision` (a branch, tag or commit); the commit's sha.

    What was downloaded stays under `cache_dir` until the install is complete, so that a later try goes on from it.
    Raises InstallFailed.
    """
    try:
        return _install(repo, revision, cache_dir, target, reporter, endpoint)
    except RepositoryRefused as refused:
        raise InstallFailed(refused.code, refused.message, refused.hint) from refused


def _install(
    repo: str, revision: str | None, cache_dir: Path, target: Path, reporter: Reporter, endpoint: str | None
) -> str:
    disable_progress_bars()
    with hub_errors(repo, revision):
        info = HfApi(endpoint=endpoint).model_info(repo, revision=revision, files_metadata=True)
    commit, files = commit_of(info), files_of(info.siblings)
    small = small_files(files)
    size = sum(file.size_bytes for file in (*small, *announced_weights(files)))
    licence = licence_of(vars(info.card_data) if info.card_data else None, info.tags or [])
    reporter.log(f"{repo} at commit {commit}: {size / 1e6:.1f} MB to download, licence {licence or 'not told'}")
    fetcher = Download(repo, commit, cache_dir / "hub" / commit, endpoint, reporter)
    fetcher.fetch(small, 0, 1)
    check_configs(fetcher.folder)
    index = read_json(fetcher.folder / INDEX) if INDEX in files else None
    weights = weight_files(files, index)
    fetcher.fetch(weights, 1, 95)
    _lay_out(fetcher.folder, [*small, *weights], target)
    shutil.rmtree(fetcher.folder, ignore_errors=True)
    return commit


class Download:
    """Fetches files of one commit into `folder`, where unfinished ones stay for the next try."""

    def __init__(
        self,
        repo: str,
        commit: str,
        folder: Path,
        endpoint: str | None,
        reporter: Reporter,
        repo_type: Literal["model", "dataset"] = "model",
    ) -> None:
        self.folder = folder
        self._repo_type = repo_type
        self._repo, self._commit, self._endpoint, self._reporter = repo, commit, endpoint, reporter

    def fetch(self, files: Sequence[HubFile], begin: float, end: float) -> None:
        """Have these files, verified: from `begin` percent of the whole to `end`. Raises InstallFailed, and what the
        reporter raises."""
        self.folder.mkdir(parents=True, exist_ok=True)
        pace = Pace(sum(file.size_bytes for file in files), self._have(files), time.monotonic())
        _check_space(self.folder, pace.total - pace.begun)

        def tell() -> None:
            percent, note, seconds = pace.told(self._have(files), time.monotonic())
            self._reporter.progress(begin + (end - begin) * percent / 100, note, seconds)

        with hub_errors(self._repo, self._commit):
            watched(lambda: self._bring(files), tell)
        tell()
        for file in files:
            _verify(self.folder / file.path, file)

    def _have(self, files: Sequence[HubFile]) -> int:
        """Bytes of these files that are here, unfinished ones too; files may come and go meanwhile."""
        places = [self.folder / file.path for file in files]
        return sum(size_of(path) or size_of(path.with_name(path.name + PART)) for path in places)

    def _bring(self, files: Sequence[HubFile]) -> None:
        for file in files:
            if size_of(self.folder / file.path) != file.size_bytes or not file.size_bytes:
                download(self._url(file.path), self.folder / file.path, file.size_bytes)

    def _url(self, path: str) -> str:
        return hf_hub_url(self._repo, path, repo_type=self._repo_type, revision=self._commit, endpoint=self._endpoint)


def commit_of(info: ModelInfo | DatasetInfo) -> str:
    """The full sha. Raises InstallFailed."""
    if info.sha is None or not re.fullmatch(r"[0-9a-f]{40}", info.sha):
        raise InstallFailed("bad_hub", f"the hub named no commit for the revision but {info.sha!r}")
    return info.sha


def _verify(path: Path, file: HubFile) -> None:
    """The bytes are those that the commit's listing announced; if not, they are thrown away."""
    right = path.is_file() and path.stat().st_size == file.size_bytes
    if right and file.sha256 is not None:
        right = sha256_of(path) == file.sha256
    elif right and file.git_sha1 is not None:
        right = _git_sha1(path) == file.git_sha1
    if not right:
        path.unlink(missing_ok=True)
        raise InstallFailed("wrong_hash", f"{file.path} came damaged from the hub", "try again", permanent=False)


def _git_sha1(path: Path) -> str:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _lay_out(folder: Path, files: Sequence[HubFile], target: Path) -> None:
    for file in files:
        (target / file.path).parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(folder / file.path, target / file.path)
        except OSError:
            shutil.copyfile(folder / file.path, target / file.path)


def _check_space(folder: Path, wanted: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < wanted + _SPARE_BYTES:
        message = f"{wanted / 1e9:.1f} GB to download and {free / 1e9:.1f} GB free"
        raise InstallFailed("disk_full", message, "free some space in the worker's data folder")


@contextmanager
def hub_errors(repo: str, revision: str | None) -> Iterator[None]:
    """Tell the hub's errors in words that say what to do."""
    at = f"{repo}@{revision}" if revision else repo
    try:
        yield
    except GatedRepoError as error:
        hint = "accept its licence on the hub, and give the worker an HF_TOKEN of that account"
        raise InstallFailed("gated", f"{repo} is gated", hint) from error
    except RepositoryNotFoundError as error:
        hint = "check the name; a private one needs HF_TOKEN on the worker"
        raise InstallFailed("not_found", f"the hub has no {repo}, or it is private", hint) from error
    except RevisionNotFoundError as error:
        raise InstallFailed("not_found", f"{repo} has no revision {revision}") from error
    except HFValidationError as error:
        raise InstallFailed("bad_source", f"{at} is no repository name: {error}") from error
    except (LocalEntryNotFoundError, IncompleteSnapshotError, HfHubHTTPError, httpx2.HTTPError) as error:
        message = f"the hub did not serve {at}: {error}"
        raise InstallFailed("hub_unavailable", message, "try again later", permanent=False) from error
