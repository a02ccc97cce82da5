"""Objects in parts for the folder store: a hidden folder for each upload, one file for each part."""

from __future__ import annotations

import hashlib
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kargah.adapters.files import replaced
from kargah.domain.ids import is_id, new_id
from kargah.ports.object_store import Multipart, ObjectMissing, Part

_PREFIX = ".under-way-"
_KEY_FILE = "key"


class FolderMultipart(ABC):
    """The part of `FolderStore` that does `kargah.ports.object_store.MultipartStore`."""

    _objects: Path

    def begin_multipart(self, key: str) -> str:
        """The id of a new upload to `key`."""
        upload_id = new_id("mpu")
        folder = self._objects / f"{_PREFIX}{upload_id}"
        folder.mkdir()
        (folder / _KEY_FILE).write_text(key, encoding="utf-8")
        return upload_id

    def presign_part(self, key: str, upload_id: str, number: int, expires: timedelta) -> str:
        """A `file:` URL, which does not expire."""
        return (self._under_way(key, upload_id) / str(number)).resolve().as_uri()

    def put_part(self, key: str, upload_id: str, number: int, data: bytes) -> None:
        """Store a part; sent again, one of them counts."""
        with replaced(self._under_way(key, upload_id) / str(number)) as target:
            target.write(data)

    def copy_part(self, key: str, upload_id: str, number: int, source: str, offset: int, length: int) -> None:
        """Store `length` bytes of another object as a part."""
        if not self._path(source).is_file():
            raise ObjectMissing(source)
        with self._path(source).open("rb") as file:
            file.seek(offset)
            self.put_part(key, upload_id, number, file.read(length))

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """The parts that are there, in the order of their numbers."""
        files = [path for path in self._under_way(key, upload_id).glob("*") if path.name.isdigit()]
        return sorted((_part(path) for path in files), key=lambda part: part.number)

    def finish_multipart(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the object of these parts: whole or not at all."""
        folder = self._under_way(key, upload_id)
        with replaced(self._path(key)) as target:
            for part in parts:
                with (folder / str(part.number)).open("rb") as source:
                    shutil.copyfileobj(source, target)
        shutil.rmtree(folder)

    def abort_multipart(self, key: str, upload_id: str) -> None:
        """Give the parts up; an upload that is not there is no error."""
        try:
            shutil.rmtree(self._under_way(key, upload_id))
        except ObjectMissing:
            return

    def multiparts(self, prefix: str) -> Iterator[Multipart]:
        """Every object under way whose key starts with `prefix`."""
        for folder in sorted(self._objects.glob(f"{_PREFIX}*")):
            key = (folder / _KEY_FILE).read_text(encoding="utf-8")
            if key.startswith(prefix):
                begun = datetime.fromtimestamp((folder / _KEY_FILE).stat().st_mtime, UTC)
                yield Multipart(key, folder.name.removeprefix(_PREFIX), begun)

    @abstractmethod
    def _path(self, key: str) -> Path: ...

    def _under_way(self, key: str, upload_id: str) -> Path:
        folder = self._objects / f"{_PREFIX}{upload_id}"
        if not is_id(upload_id, "mpu") or not folder.is_dir():
            raise ObjectMissing(key)
        if (folder / _KEY_FILE).read_text(encoding="utf-8") != key:
            raise ObjectMissing(key)
        return folder


def _part(path: Path) -> Part:
    etag = hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    return Part(int(path.name), path.stat().st_size, etag)
