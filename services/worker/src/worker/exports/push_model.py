"""Send a model folder to a hub, then read back what lies there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # re-exported untyped

from worker.installs.folder import sha256_of
from worker.installs.range_download import download
from worker.installs.reporter import Reporter
from worker.installs.watched import watched
from worker.trainer.errors import TrainingError

_MAY_WRITE = "Check the name, and that the worker's HF_TOKEN may write there."


@dataclass(frozen=True, slots=True)
class Push:
    """`endpoint` None is the hub that the worker is set to, with its token; any other is not told that token."""

    repository: str
    revision: str
    private: bool
    endpoint: str | None = None

    @property
    def token(self) -> bool | None:
        return None if self.endpoint is None else False


def push_folder(folder: Path, push: Push, title: str, scratch: Path, reporter: Reporter) -> dict[str, Any]:
    """What was sent and found there: repository, commit, files, bytes. Raises TrainingError; what `reporter` raises."""
    disable_progress_bars()
    api = HfApi(endpoint=push.endpoint, token=push.token)
    with _told(push):
        sending = partial(reporter.progress, 5, f"sending to {push.repository}")
        commit = watched(partial(_send, api, folder, push, title), sending)
    reporter.log(f"{push.repository} at commit {commit}")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for done, path in enumerate(files):
        note = f"reading back {done + 1} of {len(files)} files"
        reading = partial(reporter.progress, 50 + 45 * done / len(files), note)
        name = path.relative_to(folder).as_posix()
        with _told(push):
            watched(partial(compare, path, name, commit, push, scratch), reading)
    reporter.log(f"Read back: {len(files)} files, each with the sha256 that it has here.")
    return {
        "repository": push.repository,
        "endpoint": api.endpoint,
        "commit": commit,
        "files": len(files),
        "size_bytes": sum(path.stat().st_size for path in files),
    }


def _send(api: HfApi, folder: Path, push: Push, title: str) -> str:
    api.create_repo(push.repository, private=push.private, exist_ok=True)
    if push.revision != "main":
        api.create_branch(push.repository, branch=push.revision, exist_ok=True)
    return api.upload_folder(
        repo_id=push.repository, folder_path=folder, revision=push.revision, commit_message=title
    ).oid


def compare(path: Path, name: str, commit: str, push: Push, scratch: Path) -> None:
    """Raises TrainingError unless the hub gives the very bytes of the file for its `name`."""
    target = scratch / hashlib.sha256(name.encode()).hexdigest()
    url = hf_hub_url(push.repository, name, revision=commit, endpoint=push.endpoint)
    try:
        download(url, target, path.stat().st_size, token=push.token)
        if sha256_of(target) != sha256_of(path):
            raise TrainingError("wrong_hash", f"{name}, read back from the hub, has another sha256.", "Push it again.")
    finally:
        target.unlink(missing_ok=True)


@contextmanager
def _told(push: Push) -> Iterator[None]:
    """The hub's errors in words that say what to do."""
    where = push.endpoint or "the hub"
    try:
        yield
    except RepositoryNotFoundError as error:
        raise TrainingError("not_found", f"{where} has no {push.repository} to write to.", _MAY_WRITE) from error
    except HFValidationError as error:
        raise TrainingError("bad_repository", f"{push.repository} is no repository name: {error}") from error
    except HfHubHTTPError as error:
        permanent = 400 <= error.response.status_code < 500
        hint = _MAY_WRITE if error.response.status_code in (401, 403) else None
        raise TrainingError("hub_refused", f"{where} did not take it: {error}", hint, permanent) from error
    except httpx2.HTTPError as error:
        raise TrainingError("hub_unavailable", f"{where} does not answer: {error}", permanent=False) from error
