"""The object store's twin for unit tests: a folder with one file per object."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import quote, unquote

from kargah.adapters.files import replaced
from kargah.adapters.folder_multipart import FolderMultipart
from kargah.ports.object_store import ObjectMissing, ObjectStat

_CHUNK = 1 << 20


class FolderStore(FolderMultipart):
    """One bucket in `folder`. A key is a file name, its slashes escaped, so no key can leave the folder."""

    def __init__(self, folder: Path, bucket: str = "kargah") -> None:
        self._bucket = bucket
        self._objects = folder / bucket
        self._objects.mkdir(parents=True, exist_ok=True)

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return self._bucket

    def put(self, key: str, data: bytes) -> None:
        """Store `data`."""
        self.put_stream(key, io.BytesIO(data))

    def put_stream(self, key: str, stream: BinaryIO, *, part_size: int = _CHUNK) -> int:
        """Store `stream` to its end; bytes stored."""
        with replaced(self._path(key)) as target:
            shutil.copyfileobj(stream, target, part_size)
            return target.tell()

    def put_file(self, key: str, path: Path) -> None:
        """Store the file at `path`."""
        with path.open("rb") as source:
            self.put_stream(key, source)

    def get(self, key: str) -> bytes:
        """The whole object."""
        return self._existing(key).read_bytes()

    @contextmanager
    def open(self, key: str, *, offset: int = 0, length: int | None = None) -> Iterator[BinaryIO]:
        """A stream of `length` bytes from `offset`, or fewer at the object's end."""
        with self._existing(key).open("rb") as source:
            source.seek(offset)
            if length is None:
                yield source
            else:
                yield cast(BinaryIO, io.BytesIO(source.read(length)))

    def get_file(self, key: str, path: Path) -> None:
        """Write the object to `path`."""
        with self._existing(key).open("rb") as source, replaced(path) as target:
            shutil.copyfileobj(source, target, _CHUNK)

    def stat(self, key: str) -> ObjectStat:
        """What is known of the object; the etag is its MD5, as S3's is for small objects."""
        path = self._existing(key)
        found = path.stat()
        etag = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
        return ObjectStat(key, found.st_size, etag, datetime.fromtimestamp(found.st_mtime, UTC))

    def list(self, prefix: str) -> Iterator[ObjectStat]:
        """Every object whose key starts with `prefix`."""
        keys = sorted(unquote(path.name) for path in self._objects.glob("[!.]*"))
        return (self.stat(key) for key in keys if key.startswith(prefix))

    def copy(self, source: str, target: str) -> None:
        """Copy an object."""
        self.put(target, self.get(source))

    def delete(self, key: str) -> None:
        """Delete the object if it is there."""
        self._path(key).unlink(missing_ok=True)

    def presign_get(self, key: str, expires: timedelta) -> str:
        """A `file:` URL, which does not expire."""
        return self._path(key).resolve().as_uri()

    def check(self) -> None:
        """Always reachable."""

    def _path(self, key: str) -> Path:
        return self._objects / quote(key, safe="").replace(".", "%2E")

    def _existing(self, key: str) -> Path:
        path = self._path(key)
        if not path.exists():
            raise ObjectMissing(key)
        return path
