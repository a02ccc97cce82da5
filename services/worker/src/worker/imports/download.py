"""A file from a URL: checked at each redirect, resumed where it broke off, bounded in size."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import httpx

from worker.imports.allowed import Allowed, Place
from worker.imports.errors import ImportFailed
from worker.installs.reporter import Reporter

_TOLD_EACH = 1 << 20
_MOST_REDIRECTS = 5
_TRIES = 6
_LONGEST_PAUSE = 10.0
_TIMEOUT = httpx.Timeout(60.0, connect=10.0)
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Rules:
    """`allowed` None: the URL was made by the platform itself. `proxy`: the way outside."""

    allowed: Allowed | None
    max_bytes: int
    proxy: str | None = None


class Broken(Exception):
    """The connection or the server failed in a way that another try may get over."""


class Download:
    """One URL into `target`. What came so far is kept beside it with the server's validator, so that any later try,
    of a later process too, asks for the rest; a file that changed meanwhile begins anew."""

    def __init__(self, url: str, target: Path, rules: Rules, reporter: Reporter) -> None:
        self._url = url
        self._target = target
        self._rules = rules
        self._reporter = reporter
        self._partial = target.with_name(f"{target.name}.partial")
        self._memory = target.with_name(f"{target.name}.etag")

    def run(self) -> None:
        """Until the file is whole. Raises ImportFailed, and what the reporter raises."""
        failures, had = 0, self._have()
        while True:
            try:
                self._once()
                break
            except Broken as error:
                failures = 1 if self._have() > had else failures + 1
                had = self._have()
                if failures >= _TRIES:
                    message = f"the file does not come through: {error}"
                    raise ImportFailed("source_unavailable", message, "try again later", permanent=False) from error
                self._reporter.progress(1, f"the connection broke after {had / 1e6:,.1f} MB, trying again")
                time.sleep(min(_LONGEST_PAUSE, 0.2 * 2**failures))
        self._partial.replace(self._target)
        self._memory.unlink(missing_ok=True)

    def _have(self) -> int:
        return self._partial.stat().st_size if self._partial.exists() else 0

    def _once(self) -> None:
        """One request for what is missing, and all that it gives."""
        validator = str(json.loads(self._memory.read_text())) if self._memory.exists() else ""
        start = self._have() if validator else 0
        asked = {"Range": f"bytes={start}-", "If-Range": validator} if start else {}
        with self._answer({"Accept-Encoding": "identity", **asked}) as answer:
            if answer.status_code == 416 and start:
                self._forget()
                raise Broken("the file became shorter")
            self._refuse(answer)
            resumed = answer.status_code == 206 and _range_start(answer) == start
            total = _total(answer, start if resumed else 0)
            self._refuse_size(total or 0)
            self._remember(answer)
            self._receive(answer, start if resumed else 0, total)

    def _receive(self, answer: httpx.Response, start: int, total: int | None) -> None:
        with self._partial.open("r+b" if start else "wb") as file:
            file.seek(start)
            file.truncate()
            told = start
            try:
                for chunk in answer.iter_raw():  # as they come: what a break leaves is kept to the last byte
                    file.write(chunk)
                    self._refuse_size(file.tell())
                    if file.tell() - told >= _TOLD_EACH:
                        told = file.tell()
                        self._tell(told, total)
            except httpx.TransportError as error:
                raise Broken(f"{type(error).__name__}: {error}") from error
            size = file.tell()
            self._tell(size, total)
            file.flush()
            os.fsync(file.fileno())
        if total is not None and size != total:
            raise Broken(f"it ended after {size:,} of {total:,} bytes")

    @contextmanager
    def _answer(self, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """The answer at the end of the redirects, each checked before it is followed."""
        url = self._url
        for _ in range(_MOST_REDIRECTS + 1):
            try:
                with _client(self._rules.proxy) as client:
                    answer = client.send(self._request(client, url, headers), stream=True)
                    if answer.status_code not in _REDIRECTS:
                        with _closing(answer):
                            yield answer
                        return
                    answer.close()
                    url = _joined(url, answer.headers.get("location", ""))
            except httpx.InvalidURL as error:
                raise ImportFailed("bad_source", f"the URL cannot be fetched: {error}") from error
            except httpx.TransportError as error:
                raise Broken(f"{type(error).__name__}: {error}") from error
        raise ImportFailed("too_many_redirects", f"{self._url} redirects more than {_MOST_REDIRECTS} times")

    def _request(self, client: httpx.Client, url: str, headers: dict[str, str]) -> httpx.Request:
        """To the very address that was checked: a name may lead elsewhere when it is looked up again."""
        if self._rules.allowed is None:
            return client.build_request("GET", url, headers=headers)
        place = self._rules.allowed.place(url, resolve=self._rules.proxy is None)
        if self._rules.proxy is not None:
            return client.build_request("GET", url, headers=headers)
        named = {"Host": place.url.netloc, **headers}
        return client.build_request("GET", _at_address(place), headers=named, extensions={"sni_hostname": place.host})

    def _refuse(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status >= 500 or status in (408, 429):
            raise Broken(f"the server answered {status}")
        if status == 403 and self._rules.allowed is None:  # the platform signs its own URLs for a quarter of an hour
            hint = "the next try gets a new one, and goes on from there"
            raise ImportFailed("url_expired", "the store's URL is no longer good", hint, permanent=False)
        if status not in (200, 206):
            raise ImportFailed("source_refused", f"the server answered {status} for {self._url.partition('?')[0]}")

    def _refuse_size(self, size: int) -> None:
        if size > self._rules.max_bytes:
            self._forget()
            message = f"the file is larger than {self._rules.max_bytes:,} bytes"
            raise ImportFailed("too_large", message, "KARGAH_IMPORT_MAX_BYTES on the workers is the limit")

    def _remember(self, answer: httpx.Response) -> None:
        """What tells this state of the file from others: only with it can a later try be sure to get the rest of it."""
        etag = answer.headers.get("etag", "")
        validator = etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified")
        if validator and validator.isascii():  # another could not be sent back
            self._memory.write_text(json.dumps(validator))
        else:
            self._memory.unlink(missing_ok=True)

    def _forget(self) -> None:
        self._partial.unlink(missing_ok=True)
        self._memory.unlink(missing_ok=True)

    def _tell(self, have: int, total: int | None) -> None:
        of = f" of {total / 1e6:,.1f}" if total else ""
        self._reporter.progress(90 * have / total if total else 1.0, f"fetched {have / 1e6:,.1f}{of} MB")


def _client(proxy: str | None) -> httpx.Client:
    return httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, proxy=proxy)


@contextmanager
def _closing(answer: httpx.Response) -> Iterator[None]:
    try:
        yield
    finally:
        answer.close()


def _at_address(place: Place) -> str:
    address = f"[{place.address}]" if ":" in place.address else place.address
    return place.url._replace(netloc=f"{address}:{place.port}", fragment="").geturl()


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise ImportFailed("bad_source", f"a redirect leads to no URL: {location[:200]!r}") from error


def _range_start(answer: httpx.Response) -> int | None:
    unit, _, rest = answer.headers.get("content-range", "").partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdecimal() else None


def _total(answer: httpx.Response, start: int) -> int | None:
    """Bytes of the whole file, where the server tells."""
    length = answer.headers.get("content-length", "")
    return start + int(length) if length.isdecimal() else None
