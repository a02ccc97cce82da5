"""Search the upstream, and judge a repository: what would be downloaded, under which licence, and is it safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kargah.contracts.upstream import HubFileView, HubModelView, HubSearch, HubSummary
from kargah.domain.errors import Invalid, Unavailable
from kargah.domain.hub_repository import (
    CONFIGS,
    HubFile,
    RepositoryRefused,
    announced_weights,
    check_config,
    files_of,
    licence_of,
    small_files,
)
from kargah.domain.model_files import problem_with_file

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

    from registry.upstream.client import UpstreamClient


class UpstreamService:
    """Safe to share between threads. Every call may raise Unavailable, NotFound, Forbidden, Invalid."""

    def __init__(self, client: Callable[[], UpstreamClient]) -> None:
        self._client = client

    def search(self, text: str, limit: int) -> HubSearch:
        """The most downloaded first."""
        found = self._client().search(text, limit)
        return HubSearch(endpoint=self._client().endpoint, items=[_summary(info) for info in found])

    def model(self, repo: str, revision: str | None) -> HubModelView:
        """A repository, judged; it is named by its commit, so that what is installed is what was judged."""
        info = self._client().model(repo, revision)
        if info.sha is None:
            raise Unavailable(f"The hub names no commit of {repo}.")
        files = files_of(info.siblings)
        refused = self._refused(repo, info.sha, files)
        wanted = [] if refused is not None else [*small_files(files), *announced_weights(files)]
        names = {file.path for file in wanted}
        return HubModelView(
            **_summary(info).model_dump(include={"id", "license", "task", "gated", "updated_at"}),
            endpoint=self._client().endpoint,
            commit=info.sha,
            source=f"hub:{repo}@{info.sha}",
            parameters=info.safetensors.total if info.safetensors else None,
            size_bytes=sum(file.size_bytes for file in files.values()),
            download_bytes=sum(file.size_bytes for file in wanted),
            safe=refused is None,
            problem=refused.message if refused else None,
            problem_code=refused.code if refused else None,
            hint=refused.hint if refused else None,
            files=[_file(file, file.path in names) for file in files.values()],
        )

    def _refused(self, repo: str, commit: str, files: Mapping[str, HubFile]) -> RepositoryRefused | None:
        """Why it is not installed: by its list of files first, then by what its configurations say."""
        try:
            small_files(files)
            announced_weights(files)
            for name in CONFIGS:
                if name in files:
                    check_config(name, self._client().config(repo, commit, name))
        except RepositoryRefused as refused:
            return refused
        except Invalid as error:
            return RepositoryRefused("bad_config", error.message)
        return None


def _summary(info: ModelInfo) -> HubSummary:
    card = vars(info.card_data) if info.card_data else None
    return HubSummary(
        id=info.id,
        license=licence_of(card, info.tags or []),
        task=info.pipeline_tag,
        downloads=info.downloads,
        likes=info.likes,
        gated=bool(info.gated),
        updated_at=info.last_modified,
    )


def _file(file: HubFile, wanted: bool) -> HubFileView:
    problem = problem_with_file(file.path)
    return HubFileView(path=file.path, size_bytes=file.size_bytes, sha256=file.sha256, wanted=wanted, problem=problem)
