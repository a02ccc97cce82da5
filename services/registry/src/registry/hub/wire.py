"""What the Hub's clients read, in their own spelling."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, RootModel

from kargah.contracts.base import Timestamp, Wire


class SiblingLfs(Wire):
    sha256: str
    size: int
    pointer_size: int


class Sibling(Wire):
    """A file of a repository, in its info. Sizes and ids only where `blobs` were asked for."""

    rfilename: str
    size: int | None = None
    blob_id: str | None = None
    lfs: SiblingLfs | None = None


class RepoInfo(Wire):
    """A model or a dataset; `siblings` are its files. Nobody counts downloads here.

    `mirrored_from`: the hub that it is read from, where it is not this one's own."""

    id: str
    model_id: str | None = None
    author: str | None
    sha: str
    created_at: Timestamp
    last_modified: Timestamp
    private: bool
    gated: bool = False
    disabled: bool = False
    downloads: int = 0
    likes: int = 0
    tags: list[str] = []
    pipeline_tag: str | None = Field(default=None, alias="pipeline_tag")
    library_name: str | None = Field(default=None, alias="library_name")
    card_data: dict[str, Any] | None = None
    siblings: list[Sibling] | None = None
    mirrored_from: str | None = None


class RepoInfos(RootModel[list[RepoInfo]]):
    """A page of a list."""


class EntryLfs(Wire):
    oid: str
    size: int
    pointer_size: int


class TreeEntry(Wire):
    """A file or a folder; `oid` is what git would call it."""

    type: Literal["file", "directory"]
    path: str
    oid: str
    size: int = 0
    lfs: EntryLfs | None = None


class TreeEntries(RootModel[list[TreeEntry]]):
    """A page of a tree."""


class RefView(Wire):
    name: str
    ref: str
    target_commit: str


class RefsView(Wire):
    """Branches and tags; there are neither conversions nor pull requests."""

    branches: list[RefView]
    tags: list[RefView]
    converts: list[RefView] = []
    pull_requests: list[RefView] = []


class AuthorView(Wire):
    user: str


class CommitView(Wire):
    id: str
    title: str
    message: str
    authors: list[AuthorView]
    date: Timestamp


class CommitViews(RootModel[list[CommitView]]):
    """Commits, newest first."""


class AccessToken(Wire):
    display_name: str = "any"
    role: str = "write"


class Auth(Wire):
    type: str = "access_token"
    access_token: AccessToken = AccessToken()


class WhoAmI(Wire):
    """Who asks. Nobody logs in yet: everyone is the same user."""

    type: str = "user"
    id: str
    name: str
    fullname: str
    email: str
    email_verified: bool = True
    can_pay: bool = False
    is_pro: bool = False
    orgs: list[str] = []
    auth: Auth = Auth()


class RepoName(Wire):
    """Of `repos/create` and `repos/delete`. Clients send more than is known here."""

    name: str = Field(max_length=200)
    organization: str | None = Field(default=None, max_length=200)
    type: str | None = Field(default=None, max_length=40)
    private: bool | None = None
    visibility: str | None = Field(default=None, max_length=40)

    @property
    def hidden(self) -> bool:
        """Whether it shall be private."""
        return self.visibility == "private" if self.visibility is not None else bool(self.private)


class RepoMove(Wire):
    from_repo: str = Field(max_length=300)
    to_repo: str = Field(max_length=300)
    type: str | None = Field(default=None, max_length=40)


class RepoSettings(Wire):
    private: bool | None = None
    visibility: str | None = Field(default=None, max_length=40)
    gated: str | bool | None = None


class RepoCreated(Wire):
    """`url` begins with the endpoint as the client knows it."""

    url: str
    name: str
    id: str


class BranchCreate(Wire):
    starting_point: str | None = Field(default=None, max_length=300)
    empty_branch: bool = False
    overwrite: bool = False


class TagCreate(Wire):
    tag: str = Field(max_length=300)
    message: str | None = Field(default=None, max_length=10_000)


class YamlCheck(Wire):
    content: str = Field(max_length=1 << 20)
    repo_type: str | None = Field(default=None, max_length=40)


class YamlProblem(Wire):
    message: str


class YamlVerdict(Wire):
    errors: list[YamlProblem] = []
    warnings: list[YamlProblem] = []
