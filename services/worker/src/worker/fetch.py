"""From the object store into a local, content-addressed cache; from there into model folders by hard link.

Safe for any number of threads and processes on one cache: a blob is downloaded once, under a lock on its partial
file, resumed where an earlier try ended, and only becomes visible once its sha256 is right.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from kargah.contracts.models import ModelFile, ModelLocation
from kargah.domain.file_paths import problem_with_path
from kargah.ports.object_store import ObjectStore, StoreUnavailable

BLOB_PREFIX = "blobs/"
OnBytes = Callable[[int], None]
_CHUNK = 1 << 20
_PAUSES = (0.2, 1.0, 3.0)
# Every verified blob carries this modification time: whoever writes into one changes it, and it is hashed anew.
_SEALED_NS = 1_000_000_000 * 1_000_000_000


class BlobCorrupt(Exception):
    """The bytes that came are not those of the sha256; nothing of them was kept."""


@dataclass(frozen=True, slots=True)
class FetchedModel:
    """`base_dir` holds the base model when `model_dir` holds an adapter."""

    model_dir: Path
    base_dir: Path | None


def fetch_blob(
    store: ObjectStore,
    sha256: str,
    size_bytes: int,
    cache_dir: Path,
    *,
    prefix: str = BLOB_PREFIX,
    on_bytes: OnBytes | None = None,
) -> Path:
    """The verified local copy of a blob, downloaded if need be; read-only, not to be written to.

    `on_bytes` hears how many bytes each chunk brought and may raise to abort; what came is kept for the next try.
    Raises BlobCorrupt, ObjectMissing, StoreUnavailable, OSError (disk full).
    """
    final = cache_dir / "blobs" / sha256[:2] / sha256
    final.parent.mkdir(parents=True, exist_ok=True)
    if _is_sealed(final, size_bytes) or _reseal(final, sha256, size_bytes):
        return final
    with _locked_part(final.with_name(f"{sha256}.part"), final) as part:
        if part is not None:
            _download_with_retries(store, f"{prefix}{sha256}", part, size_bytes, on_bytes)
            _verify(part, sha256, size_bytes)
            _seal(part, final)
    return final


def fetch_model(
    location: ModelLocation,
    store: ObjectStore,
    cache_dir: Path,
    into: Path,
    *,
    on_bytes: OnBytes | None = None,
) -> Path:
    """Lay out the files of one version (not of its base) in the folder `into`, which appears complete or not at all.

    An `into` that holds just these files already is returned as it is; any other is replaced.
    Errors as of `fetch_blob`.
    """
    if into.exists():
        if _holds(into, location.version.files):
            return into
        shutil.rmtree(into)
    into.parent.mkdir(parents=True, exist_ok=True)
    draft = into.with_name(f".{into.name}.{uuid.uuid4().hex}")
    try:
        for file in location.version.files:
            blob = fetch_blob(store, file.sha256, file.size_bytes, cache_dir, prefix=location.prefix, on_bytes=on_bytes)
            _place(blob, _target(draft, file))
        _publish(draft, into)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return into


def fetch_with_base(
    location: ModelLocation,
    store: ObjectStore,
    cache_dir: Path,
    into: Path,
    *,
    on_bytes: OnBytes | None = None,
) -> FetchedModel:
    """`into/model`, and for an adapter `into/base` with the model it was trained on."""
    base_dir = None
    if location.base is not None:
        base_dir = fetch_model(location.base, store, cache_dir, into / "base", on_bytes=on_bytes)
    return FetchedModel(fetch_model(location, store, cache_dir, into / "model", on_bytes=on_bytes), base_dir)


def _is_sealed(path: Path, size_bytes: int) -> bool:
    try:
        stat = path.stat()
        if stat.st_size != size_bytes or stat.st_mtime_ns != _SEALED_NS:
            return False
        _stamp(path)
    except FileNotFoundError:
        return False
    return True


def _reseal(path: Path, sha256: str, size_bytes: int) -> bool:
    """Someone wrote to a cached blob, or only touched it: keep it if its bytes are still right, else drop it."""
    try:
        with path.open("rb") as blob:
            if os.fstat(blob.fileno()).st_size == size_bytes and _digest(blob) == sha256:
                _stamp(path)
                return True
    except FileNotFoundError:
        return False
    path.unlink(missing_ok=True)
    return False


def _stamp(path: Path) -> None:
    """Seal by modification time; the access time says when it was last wanted."""
    os.utime(path, ns=(time.time_ns(), _SEALED_NS))


@contextmanager
def _locked_part(path: Path, final: Path) -> Iterator[BinaryIO | None]:
    """The partial file, locked for us alone; None when another finished it while we waited."""
    while True:
        with path.open("ab+") as part:
            fcntl.flock(part, fcntl.LOCK_EX)
            if final.exists():
                if _same_file(part, path):
                    path.unlink(missing_ok=True)
                yield None
                return
            if _same_file(part, path):
                yield part
                return


def _same_file(opened: BinaryIO, path: Path) -> bool:
    """Whether `path` still leads to the file we hold: its last holder may have renamed it away."""
    try:
        return os.path.samestat(os.fstat(opened.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _download_with_retries(
    store: ObjectStore, key: str, part: BinaryIO, size_bytes: int, on_bytes: OnBytes | None
) -> None:
    """A connection cut in the middle costs what was in flight: each try goes on from where the last one ended."""
    for pause in (*_PAUSES, None):
        try:
            _download(store, key, part, size_bytes, on_bytes)
            return
        except StoreUnavailable:
            if pause is None:
                raise
            time.sleep(pause)


def _download(store: ObjectStore, key: str, part: BinaryIO, size_bytes: int, on_bytes: OnBytes | None) -> None:
    have = part.seek(0, os.SEEK_END)
    if have >= size_bytes:
        return
    with store.open(key, offset=have) as stream:
        while chunk := stream.read(_CHUNK):
            part.write(chunk)
            have += len(chunk)
            if on_bytes is not None:
                on_bytes(len(chunk))
    part.flush()
    if have < size_bytes:
        raise StoreUnavailable(f"{key} ended after {have} of {size_bytes} bytes")


def _verify(part: BinaryIO, sha256: str, size_bytes: int) -> None:
    part.flush()
    size = part.seek(0, os.SEEK_END)
    part.seek(0)
    digest = _digest(part)
    if size != size_bytes or digest != sha256:
        part.truncate(0)
        raise BlobCorrupt(f"blob {sha256} ({size_bytes} bytes) came as {size} bytes with sha256 {digest}")


def _digest(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _seal(part: BinaryIO, final: Path) -> None:
    os.fsync(part.fileno())
    os.fchmod(part.fileno(), 0o444)
    path = final.with_name(f"{final.name}.part")
    _stamp(path)
    path.rename(final)


def _holds(folder: Path, files: list[ModelFile]) -> bool:
    return all(_is_sealed(_target(folder, file), file.size_bytes) for file in files)


def _target(folder: Path, file: ModelFile) -> Path:
    if (problem := problem_with_path(file.path)) is not None:
        raise ValueError(f"file path {file.path!r} {problem}")
    return folder / file.path


def _place(blob: Path, target: Path) -> None:
    """Hard-link, or copy where the cache lies on another file system or a blob has too many links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(blob, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM):
            raise
        shutil.copy2(blob, target)


def _publish(draft: Path, into: Path) -> None:
    try:
        draft.rename(into)
    except OSError:
        if not into.is_dir():
            raise
