"""Pushing: what is asked before, the large files, and the commit itself."""

from __future__ import annotations

import base64
import binascii
from typing import Literal

from flask import request
from pydantic import Field

from kargah.contracts.base import Wire
from kargah.domain.errors import Invalid
from kargah.web.api import Api, Reply
from kargah.web.body import RequestBody
from registry.hub.checks import check_files
from registry.hub.committer import Committer
from registry.hub.endpoint import below
from registry.hub.errors import NotSupported
from registry.hub.operations import read_lines
from registry.hub.query import flag
from registry.hub.read_routes import REPOSITORY, TAGS
from registry.hub.reader import HubReader
from registry.repos.content import REGULAR_BYTES, is_text
from registry.repos.values import Entry, Tree

_PREUPLOAD_BYTES = 8 << 20
_NDJSON = "application/x-ndjson"


class PreuploadFile(Wire):
    """`sample`: how the file begins, in base64."""

    path: str = Field(max_length=1000)
    size: int = Field(ge=0)
    sample: str | None = Field(default=None, max_length=4096)


class Preupload(Wire):
    """Files that a client is about to push."""

    files: list[PreuploadFile] = Field(max_length=2000)


class UploadMode(Wire):
    """`oid`: by what the file is known that is at this path now, for clients to leave out what did not change."""

    path: str
    upload_mode: Literal["regular", "lfs"]
    should_ignore: bool = False
    oid: str | None = None


class UploadModes(Wire):
    """How each file is to be sent."""

    files: list[UploadMode]


class CommitDone(Wire):
    """The new head."""

    success: bool = True
    commit_url: str
    commit_oid: str
    hook_output: str = ""
    pull_request_url: str | None = None


def commit_routes(api: Api, reader: HubReader, committer: Committer) -> None:
    """Add the routes to `api`."""

    @api.post(
        f"{REPOSITORY}/preupload/<path:revision>",
        returns=UploadModes,
        body=Preupload,
        body_limit=_PREUPLOAD_BYTES,
        free_query=True,
        tags=TAGS,
    )
    def preupload(kind: str, name: str, revision: str, body: Preupload) -> UploadModes:
        """How to send files: small texts with the commit, everything else before it"""
        _refuse_pull_request()
        check_files(kind, [file.path for file in body.files])
        reader.repository(kind, name)
        _, tree = reader.tree(kind, name, revision)
        return UploadModes(files=[_mode(file, tree) for file in body.files])

    @api.post(f"{REPOSITORY}/commit/<path:revision>", returns=CommitDone, consumes=_NDJSON, free_query=True, tags=TAGS)
    def push_commit(kind: str, name: str, revision: str) -> Reply:
        """Commit to a branch; 412 when it has moved on from the client's parent"""
        _refuse_pull_request()
        reader.repository(kind, name)
        pushed = committer.push(kind, name, revision, read_lines(RequestBody(request)))
        found = CommitDone(commit_url=below(pushed.repository.path, "commit", pushed.sha), commit_oid=pushed.sha)
        return Reply(found, headers=_warning(pushed.reason))


def _mode(file: PreuploadFile, tree: Tree) -> UploadMode:
    mode: Literal["regular", "lfs"] = "regular" if _is_regular(file) else "lfs"
    known: Entry | None = tree.get(file.path)
    same_kind = known is not None and (known.git_sha1 is not None) == (mode == "regular")
    return UploadMode(path=file.path, upload_mode=mode, oid=known.etag if known is not None and same_kind else None)


def _is_regular(file: PreuploadFile) -> bool:
    if file.size > REGULAR_BYTES or file.sample is None:
        return False
    try:
        return is_text(base64.b64decode(file.sample, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Invalid(f"The sample of {file.path[:200]!r} is not base64.") from error


def _refuse_pull_request() -> None:
    if flag("create_pr"):
        raise NotSupported("There are no pull requests here.", hint="Commit to a branch of its own.")


def _warning(reason: str | None) -> dict[str, str]:
    """Clients show this to their user."""
    if reason is None:
        return {}
    text = f"kargah; The commit is kept, but it is no model that Kargah can load: {reason}"
    return {"x-hf-warning": " ".join(text.split())[:1000].encode("ascii", "backslashreplace").decode()}
