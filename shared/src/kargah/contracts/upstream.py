"""Another hub's models on the wire: what may be installed from it."""

from __future__ import annotations

from pydantic import Field

from kargah.contracts.base import Timestamp, Wire


class HubSummary(Wire):
    """A model of the upstream hub, as a search finds it. `license` None where it tells none."""

    id: str
    license: str | None = None
    task: str | None = None
    downloads: int | None = None
    likes: int | None = None
    gated: bool = False
    updated_at: Timestamp | None = None


class HubSearch(Wire):
    """`GET /api/hub/search`: what `endpoint` found."""

    endpoint: str
    items: list[HubSummary]


class HubFileView(Wire):
    """A file of a repository. `wanted`: an install would download it. `problem`: why this file is never taken."""

    path: str
    size_bytes: int = Field(ge=0)
    sha256: str | None = None
    wanted: bool
    problem: str | None = None


class HubModelView(Wire):
    """`GET /api/hub/models/<id>`: a repository at one commit, judged before anything of it is downloaded.

    `safe`: it can be installed; if not, `problem` says why, `problem_code` as the end of an install job would, and
    `hint` what to do. `download_bytes` of the wanted files.
    """

    id: str
    endpoint: str
    commit: str
    source: str
    license: str | None = None
    task: str | None = None
    gated: bool = False
    parameters: int | None = None
    size_bytes: int
    download_bytes: int
    safe: bool
    problem: str | None = None
    problem_code: str | None = None
    hint: str | None = None
    files: list[HubFileView]
    updated_at: Timestamp | None = None
