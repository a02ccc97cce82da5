"""`client.datasets`: upload, list and preview."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kargah.clients.changes import Changes, OnChange
from kargah.clients.dataset_download import write_rows
from kargah.clients.part_sender import StoreUnreachable
from kargah.clients.transport import ApiError, Transport, given, place
from kargah.clients.upload_in_parts import Progress, UploadInParts
from kargah.contracts.base import Page
from kargah.contracts.datasets import DatasetPreview, DatasetVersionView, DatasetView, RepairReport, SplitRequest
from kargah.contracts.tokens import DatasetTokens, RowsWanted, TokensRequest
from kargah.domain.errors import Busy
from kargah.domain.names import is_name

_UPLOAD_TIMEOUT = 3600.0
_TOKENS_TIMEOUT = 600.0
_BUSY_SECONDS, _BUSY_TRIES = 5.0, 360  # half an hour in all
PARTS_FROM = 64 << 20
"""Bytes from which a file is sent in parts."""


class Datasets:
    """Datasets and their immutable versions; `changes`: repairs and splits under way. Every call may raise ApiError or
    Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.changes = Changes(transport)

    def upload(
        self,
        path: Path,
        *,
        name: str | None = None,
        format: str | None = None,
        columns: dict[str, str] | None = None,
        origin: dict[str, Any] | None = None,
        parts_from: int | None = None,
        on_progress: Progress | None = None,
    ) -> DatasetVersionView:
        """Send a JSONL, JSON, CSV (or .gz, .zst of these) or Parquet file; the version that now holds its rows.

        `columns` maps the format's field to the file's column, e.g. `{"question": "سوال"}`; `origin` becomes the
        version's lineage: what is known of the rows where they come from. A file of `parts_from`
        bytes (64 MiB) goes to the object store in parts, and on where an earlier try broke off; where the store cannot
        be reached from here, it goes through the gateway as small ones do.
        """
        told = None if origin is None else json.dumps(origin, ensure_ascii=False, separators=(",", ":"))
        options = given({"format": format, "map": mapping_text(columns), "origin": told})
        name = name or default_name(path)
        if path.stat().st_size >= (PARTS_FROM if parts_from is None else parts_from):
            in_parts = UploadInParts(self._transport, path, {"name": name, **options}, on_progress)
            try:
                return in_parts.send()
            except StoreUnreachable:
                in_parts.give_up()
        return self._put(path, name, {"filename": path.name, **options})

    def _put(self, path: Path, name: str, query: dict[str, str]) -> DatasetVersionView:
        """Waits its turn, where many files are under way."""
        for _ in range(_BUSY_TRIES):
            try:
                return self._put_once(path, name, query)
            except ApiError as error:
                if error.problem.code != Busy.code:
                    raise
            time.sleep(_BUSY_SECONDS)
        return self._put_once(path, name, query)

    def _put_once(self, path: Path, name: str, query: dict[str, str]) -> DatasetVersionView:
        with path.open("rb") as stream:
            return self._transport.ask(
                DatasetVersionView,
                "PUT",
                f"/api/datasets/{place(name)}/content",
                params=query,
                content=iter(lambda: stream.read(1 << 20), b""),
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Length": str(path.stat().st_size),
                },
                timeout=_UPLOAD_TIMEOUT,
            )

    def list(self, *, limit: int = 50, cursor: str | None = None) -> Page[DatasetView]:
        query = given({"limit": limit, "cursor": cursor})
        return self._transport.ask(Page[DatasetView], "GET", "/api/datasets", params=query)

    def get(self, name: str, *, version: int | None = None) -> DatasetView:
        """A dataset; `version` puts that version in the place of the latest."""
        query = given({"version": version})
        return self._transport.ask(DatasetView, "GET", f"/api/datasets/{place(name)}", params=query)

    def versions(self, name: str, *, limit: int = 50, cursor: str | None = None) -> Page[DatasetVersionView]:
        """The versions of a dataset, newest first."""
        query = given({"limit": limit, "cursor": cursor})
        return self._transport.ask(
            Page[DatasetVersionView], "GET", f"/api/datasets/{place(name)}/versions", params=query
        )

    @contextmanager
    def stream_rows(self, name: str, version: int) -> Iterator[Iterator[bytes]]:
        """All rows of a version as stored, as JSON lines, a megabyte at a time; not verified."""
        path, query = f"/api/datasets/{place(name)}/content", {"version": version}
        with self._transport.stream("GET", path, params=query) as response:
            yield response.iter_bytes(1 << 20)

    @contextmanager
    def stream_splits(self, name: str, version: int) -> Iterator[Iterator[bytes]]:
        """A byte for each row of a version with splits: its split's place in `splits.names`; not verified."""
        path, query = f"/api/datasets/{place(name)}/splits", {"version": version}
        with self._transport.stream("GET", path, params=query) as response:
            yield response.iter_bytes(1 << 20)

    def download(
        self, version: DatasetVersionView, folder: Path, *, on_bytes: Callable[[int], object] = lambda count: None
    ) -> tuple[Path, ...]:
        """Write the rows to `<split>.jsonl` below `folder`, `train.jsonl` where there are no splits, checked against
        the version's sha256; `on_bytes` hears how many came. `load_dataset(folder)` reads them. Raises OSError."""
        which = (version.dataset, version.version)
        with ExitStack() as stack:
            rows = stack.enter_context(self.stream_rows(*which))
            places = stack.enter_context(self.stream_splits(*which)) if version.splits else None
            return write_rows(version, rows, places, folder, on_bytes)

    def preview(
        self,
        name: str,
        *,
        offset: int = 0,
        limit: int = 10,
        search: str | None = None,
        version: int | None = None,
        cursor: str | None = None,
    ) -> DatasetPreview:
        """At most `limit` (100) rows from row `offset` on, of the latest version by default; with `search`, those that
        have it in any field. `cursor`, from an earlier answer, goes on where that one ended."""
        query = given({"offset": offset, "limit": limit, "search": search, "version": version, "cursor": cursor})
        return self._transport.ask(DatasetPreview, "GET", f"/api/datasets/{place(name)}/preview", params=query)

    def split(self, name: str, wanted: SplitRequest, *, on_change: OnChange | None = None) -> DatasetVersionView:
        """Divide the rows of a version into train, validation and test; the version that is so divided.

        It goes on in the platform whatever becomes of this process; `on_change` hears how far it is.
        """
        body = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
        made = self.changes.make(name, "splits", body, on_change).version
        return made or self.get(name).latest

    def tokens(
        self,
        name: str,
        model: str,
        *,
        rows: RowsWanted | None = None,
        version: int | None = None,
        recipe: str | None = None,
        max_length: int | None = None,
        sample: int = 2000,
    ) -> DatasetTokens:
        """What `model` would be trained on: rows as tokens with their loss, and figures over `sample` rows (0: none).

        `max_length` and `recipe` are by default those that a job would get.
        """
        wanted = TokensRequest(
            model=model, version=version, recipe=recipe, rows=rows or RowsWanted(), max_length=max_length, sample=sample
        )
        body = wanted.model_dump(mode="json", by_alias=True, exclude_none=True)
        path = f"/api/datasets/{place(name)}/tokens"
        return self._transport.ask(DatasetTokens, "POST", path, json=body, timeout=_TOKENS_TIMEOUT)

    def repair(
        self,
        name: str,
        fixes: Sequence[str],
        *,
        version: int | None = None,
        dry_run: bool = False,
        on_change: OnChange | None = None,
    ) -> RepairReport:
        """Mend rows of the latest version (or `version`) into a new one; `fixes` as the platform names them, or "all".

        `dry_run` keeps nothing and tells what would be done. As `split`, it goes on without this process.
        """
        body = given({"fixes": list(fixes), "dryRun": dry_run, "version": version})
        report = self.changes.make(name, "repairs", body, on_change).report
        assert report is not None  # a repair that is done has one
        return report

    def delete(self, name: str, *, version: int | None = None) -> None:
        """Remove a dataset, or one version of it: refused for what a job, or a version made from it, needs."""
        self._transport.send("DELETE", f"/api/datasets/{place(name)}", params=given({"version": version}))


def mapping_text(columns: dict[str, str] | None) -> str | None:
    """`{"question": "سوال"}` as the platform takes it: `question:سوال`."""
    return ",".join(f"{field}:{column}" for field, column in (columns or {}).items()) or None


def default_name(path: Path) -> str:
    """The dataset name for a file: its stem, with what a name may not hold turned into `-`.

    ValueError where letters or digits would be lost, as those of a Persian name: two files would get one name."""
    stem = path.name.split(".")[0]
    name = re.sub(r"[^A-Za-z0-9_-]", "-", stem).strip("-_")
    if any(character.isalnum() and not character.isascii() for character in stem) or not is_name(name):
        raise ValueError(f"no name can be made of «{stem}»: choose one of letters a to z, digits, . _ -")
    return name


def import_name(source: str, language: str) -> str:
    """The dataset name for a source of an import: a hub's repository, a file's stem, a corpus with its language."""
    if source.startswith("hf:"):
        return default_name(Path(re.split("[@:]", source.removeprefix("hf:"))[0]))
    if "://" in source:
        return default_name(Path(unquote(urlsplit(source).path)))
    return f"{source}-{language}"
