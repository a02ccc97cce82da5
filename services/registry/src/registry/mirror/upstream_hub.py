"""The hub that is mirrored, over its own protocol: infos, trees, refs and the bytes of files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from kargah.domain.errors import DomainError, Forbidden
from kargah.domain.hosts import is_loopback
from registry.hub.errors import EntryNotFound, RepoNotFound, RevisionNotFound
from registry.hub.wire import RefsView
from registry.mirror.documents import InfoDocument, TreeItem, TreePage, read_tree
from registry.mirror.errors import GatedRepo, UpstreamAway
from registry.repos.values import MODELS, Entry

CHAIN = "x-kargah-mirrors"
"""The registries that a request came through, so that none asks itself."""
_TIMEOUT = httpx.Timeout(10.0, connect=3.0, pool=20.0)
_DOCUMENT_BYTES = 32 << 20
_MOST_PAGES = 500
_CHUNK = 256 << 10
_LONGEST_MESSAGE = 300
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
Document = TypeVar("Document", bound=BaseModel)
_CODES: dict[str, type[DomainError]] = {
    "RepoNotFound": RepoNotFound,
    "RevisionNotFound": RevisionNotFound,
    "EntryNotFound": EntryNotFound,
    "GatedRepo": GatedRepo,
}


class UpstreamHub:
    """Safe to share between threads. Raises RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo, Forbidden as the
    upstream does, and UpstreamAway when it does not answer as it should.

    `chain` tells through which registries the request at hand came. The token goes to the upstream alone: a redirect
    to another origin is followed without it.
    """

    def __init__(self, endpoint: str, token: str | None, chain: Callable[[], str]) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._token = token
        self._chain = chain

    @cached_property
    def _http(self) -> httpx.Client:
        """Made for those who mirror something: reading the trusted certificates takes 30 ms of a start."""
        return httpx.Client(
            headers={"authorization": f"Bearer {self._token}"} if self._token else {},
            timeout=_TIMEOUT,
            follow_redirects=True,
            trust_env=not is_loopback(urlsplit(self.endpoint).hostname or ""),
        )

    def close(self) -> None:
        """Give the connections back."""
        if "_http" in vars(self):
            self._http.close()

    def info(self, kind: str, name: str, revision: str) -> InfoDocument:
        """A repository at a branch, a tag or a commit."""
        url = f"{self._api(kind, name)}/revision/{quote(revision, safe='')}"
        return self._read(InfoDocument, url)[0]

    def tree(self, kind: str, name: str, sha: str) -> dict[str, Entry]:
        """All files of a commit by path."""
        return read_tree(self._items(f"{self._api(kind, name)}/tree/{sha}?recursive=true"))

    def refs(self, kind: str, name: str) -> RefsView:
        """Branches and tags."""
        return self._read(RefsView, f"{self._api(kind, name)}/refs")[0]

    @contextmanager
    def file(self, kind: str, name: str, sha: str, path: str, begin: int) -> Iterator[Iterator[bytes]]:
        """The bytes of a file from `begin` on. UpstreamAway where it cannot begin there."""
        prefix = "" if kind == MODELS else f"{kind}/"
        url = f"{self.endpoint}/{prefix}{quote(name)}/resolve/{sha}/{quote(path)}"
        headers = {"accept-encoding": "identity"} | ({"range": f"bytes={begin}-"} if begin else {})
        with self._answer(url, headers) as answer:
            if begin and not _begins_at(answer, begin):
                raise UpstreamAway("The upstream does not send files from the middle on.")
            yield answer.iter_raw(_CHUNK)

    def _api(self, kind: str, name: str) -> str:
        return f"{self.endpoint}/api/{kind}/{quote(name)}"

    def _items(self, url: str) -> Iterator[TreeItem]:
        """Page after page; none of them from anywhere else, where the token has no business."""
        for _ in range(_MOST_PAGES):
            page, following = self._read(TreePage, url)
            yield from page.root
            if following is None:
                return
            if not following.startswith(f"{self.endpoint}/"):
                raise UpstreamAway("The upstream's next page is at another server.")
            url = following
        raise UpstreamAway(f"The upstream's list of files has more than {_MOST_PAGES} pages.")

    def _read(self, kind: type[Document], url: str) -> tuple[Document, str | None]:
        """A document of bounded size, and where the next page of it is."""
        with self._answer(url, {}) as answer:
            data = bytearray()
            for chunk in answer.iter_bytes():
                data += chunk
                if len(data) > _DOCUMENT_BYTES:
                    raise UpstreamAway(f"The upstream's answer has more than {_DOCUMENT_BYTES >> 20} MiB.")
        try:
            return kind.model_validate_json(bytes(data)), answer.links.get("next", {}).get("url")
        except ValidationError as error:
            raise UpstreamAway(
                f"The upstream's answer is no {kind.__name__} ({error.error_count()} errors)."
            ) from error

    @contextmanager
    def _answer(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        try:
            with self._http.stream("GET", url, headers={**headers, CHAIN: self._chain()}) as answer:
                if not answer.is_success:
                    raise _refused(answer)
                yield answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UpstreamAway(
                f"The hub at {self.endpoint} does not answer ({type(error).__name__}).",
                hint="What is not kept here can be had once it is back.",
            ) from error


def _begins_at(answer: httpx.Response, begin: int) -> bool:
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
    return answer.status_code == HTTPStatus.PARTIAL_CONTENT and match is not None and int(match[1]) == begin


def _refused(answer: httpx.Response) -> DomainError:
    """The upstream's own error. A hub says 401 of what it does not have, too: it tells nobody what is private."""
    code, status = answer.headers.get("x-error-code", ""), answer.status_code
    told = answer.headers.get("x-error-message", "")[:_LONGEST_MESSAGE]
    message = f"The upstream answers {status}{f': {told}' if told else '.'}"
    if code in _CODES:
        return _CODES[code](message)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND):
        return RepoNotFound(message)
    return Forbidden(message) if status == HTTPStatus.FORBIDDEN else UpstreamAway(message)
