"""Send a model folder to a hub, then read back what lies there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]  # re-exported untyped

from worker.installs.folder import sha256_of
from worker.installs.range_download import download
from worker.installs.reporter import Reporter
from worker.trainer.errors import TrainingError

_POLL_SECONDS = 0.5
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
    note = f"sending to {push.repository}"
    commit = _watched(lambda: _send(api, folder, push, title), push, lambda: reporter.progress(5, note))
    reporter.log(f"{push.repository} at commit {commit}")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for done, path in enumerate(files):
        percent, note = 50 + 45 * done / len(files), f"reading back {done + 1} of {len(files)} files"
        name = path.relative_to(folder).as_posix()
        compare = _Comparison(path, name, commit, push, scratch)
        _watched(compare.run, push, _Tick(reporter, percent, note))
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


@dataclass(frozen=True, slots=True)
class _Tick:
    reporter: Reporter
    percent: float
    note: str

    def __call__(self) -> None:
        self.reporter.progress(self.percent, self.note)


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Of a file with what the hub gives for it."""

    path: Path
    name: str
    commit: str
    push: Push
    scratch: Path

    def run(self) -> str:
        """Raises TrainingError unless they are the very same bytes."""
        target = self.scratch / hashlib.sha256(self.name.encode()).hexdigest()
        url = hf_hub_url(self.push.repository, self.name, revision=self.commit, endpoint=self.push.endpoint)
        try:
            download(url, target, self.path.stat().st_size, token=self.push.token)
            if sha256_of(target) != sha256_of(self.path):
                message = f"{self.name}, read back from the hub, has another sha256."
                raise TrainingError("wrong_hash", message, "Push it again.")
        finally:
            target.unlink(missing_ok=True)
        return self.name


def _watched(work: Callable[[], str], push: Push, tick: Callable[[], None]) -> str:
    """`work` in a thread of its own; `tick` may raise to end it. A daemon: nobody waits for a stalled connection."""
    results: list[str] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # the edge of a thread: raised again in the one that waits
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    while thread.is_alive():
        tick()
        thread.join(_POLL_SECONDS)
    with _told(push):
        if failures:
            raise failures[0]
    return results[0]


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
