"""What a commit does to a tree, and how that comes in: lines of JSON, of which one at a time is in memory."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field, ValidationError

from kargah.contracts.base import Wire
from kargah.domain.errors import BadRequest, Invalid, TooLarge
from kargah.web.body import RequestBody
from kargah.web.field_errors import field_errors
from kargah.web.strict_json import parse
from registry.hub.errors import EntryNotFound
from registry.repos.values import Entry, Tree

REGULAR_LIMIT = 8 << 20
"""The largest file, in bytes, that comes inside of a commit."""
_LONGEST_LINE = REGULAR_LIMIT * 4 // 3 + (16 << 10)
_MOST_LINES = 25_000
_CHUNK = 64 << 10


class Header(Wire):
    """The first line. `parent_commit`: the commit that the client built upon, if it minds."""

    summary: str = ""
    description: str = ""
    parent_commit: str | None = None


class FileLine(Wire):
    """A file that comes with the commit."""

    path: str
    content: str
    encoding: str = "base64"


class LfsLine(Wire):
    """A file that was uploaded before. Copies come without their size."""

    path: str
    oid: str
    size: int | None = Field(default=None, ge=0, le=1 << 50)
    algo: str = "sha256"


class PathLine(Wire):
    """A file or a folder that goes."""

    path: str


@dataclass(frozen=True, slots=True)
class Added:
    """A file that comes or changes. Copies of LFS files come without their size."""

    path: str
    sha256: str
    size_bytes: int | None
    git_sha1: str | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A file or a folder that goes."""

    path: str
    folder: bool


Operation = Added | Removed
Line = Header | FileLine | LfsLine | Removed
_MODELS: dict[str, type[Header] | type[FileLine] | type[LfsLine] | type[PathLine]] = {
    "header": Header,
    "file": FileLine,
    "lfsFile": LfsLine,
    "deletedFile": PathLine,
    "deletedFolder": PathLine,
    "deletedEntry": PathLine,
}


def read_lines(body: RequestBody) -> Iterator[Line]:
    """The lines of a commit as they come. Raises BadRequest, Invalid, TooLarge; EntryNotFound is for later."""
    for number, line in enumerate(_lines(body)):
        if number > _MOST_LINES:
            raise TooLarge(f"A commit has at most {_MOST_LINES} operations.")
        yield _read(line)


def content_of(line: FileLine) -> bytes:
    """The bytes of a file that came with the commit. Raises BadRequest and TooLarge."""
    try:
        data = line.content.encode() if line.encoding == "utf-8" else base64.b64decode(line.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest(f"The content of {line.path[:200]!r} is not base64.") from error
    if len(data) > REGULAR_LIMIT:
        raise TooLarge(f"{line.path[:200]!r} is over {REGULAR_LIMIT} bytes.", hint="Upload it as an LFS file.")
    return data


def apply(tree: Tree, operations: Sequence[Operation], sizes: dict[str, int]) -> dict[str, Entry]:
    """The tree after the operations. `sizes` by sha256. Raises EntryNotFound for what cannot be removed."""
    files = dict(tree)
    for operation in operations:
        if isinstance(operation, Added):
            files[operation.path] = Entry(operation.sha256, sizes[operation.sha256], operation.git_sha1)
        elif operation.folder:
            _remove_folder(files, operation.path)
        elif files.pop(operation.path, None) is None:
            raise EntryNotFound(f"A file with this name doesn't exist: {operation.path[:300]!r}.")
    return files


def _remove_folder(files: dict[str, Entry], folder: str) -> None:
    start = folder.strip("/") + "/"
    inside = [path for path in files if path.startswith(start)]
    if not inside:
        raise EntryNotFound(f"A folder with this name doesn't exist: {folder[:300]!r}.")
    for path in inside:
        del files[path]


def _lines(body: RequestBody) -> Iterator[bytes]:
    kept = bytearray()
    while chunk := body.read(_CHUNK):
        kept += chunk
        if b"\n" in chunk:
            *whole, rest = kept.split(b"\n")
            yield from (bytes(line) for line in whole if line.strip())
            kept = bytearray(rest)
        if len(kept) > _LONGEST_LINE:
            raise TooLarge(f"A line of a commit is over {_LONGEST_LINE} bytes.", hint="Upload the file as an LFS file.")
    if kept.strip():
        yield bytes(kept)


def _read(line: bytes) -> Line:
    """The outer object says what the inner one is."""
    outer = parse(line)
    if not isinstance(outer, dict) or not isinstance(outer.get("value"), dict):
        raise BadRequest("A line of a commit is an object with `key` and `value`.")
    key = str(outer.get("key"))
    model = _MODELS.get(key)
    if model is None:
        raise BadRequest(f"A commit knows no {key[:60]!r}.", hint=f"Known: {', '.join(_MODELS)}.")
    try:
        value = model.model_validate(outer["value"])
    except ValidationError as error:
        raise Invalid(
            f"A line {key!r} is not acceptable.", errors=field_errors(error, outer["value"], model)
        ) from error
    return Removed(value.path, key == "deletedFolder") if isinstance(value, PathLine) else value
