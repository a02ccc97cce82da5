"""The place of backups, opened: objects named by their sha256, and backups that name objects.

TARGET/keys/            the key, encrypted with the password
TARGET/data/            all else, encrypted with the key, file names too:
    objects/ab/<sha256>     an object of the store, or a piece of a dump
    backups/<id>/contents   what belongs to a backup
    backups/<id>/summary    written last: a backup is there once its summary is
    locks/<id>              who works here
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from kargah.backup import keys
from kargah.backup.documents import Contents, Piece, Summary
from kargah.backup.errors import BackupError, Damaged, TargetUnreachable
from kargah.backup.rclone import Rclone, RcloneFailed, serving

_OBJECTS = "objects"
_BACKUPS = "backups"
_LOCKS = "locks"


class Vault:
    """Safe to share between threads. Every call may raise TargetUnreachable."""

    def __init__(self, rclone: Rclone, target: str) -> None:
        self._rclone = rclone
        self.target = target

    def sizes(self) -> dict[str, int]:
        """sha256 -> bytes of all that is stored."""
        return {path.rpartition("/")[2]: size for path, size in self._rclone.list(keys.DATA, _OBJECTS)}

    def put(self, piece: Piece, content: Iterable[bytes]) -> None:
        """Store `content`, which must be that piece. Raises Damaged when it is another: nothing is stored then."""
        self._rclone.put(keys.DATA, _path(piece.sha256), verified(content, piece))

    @contextmanager
    def open(self, piece: Piece) -> Iterator[Iterator[bytes]]:
        """Its bytes; those that are not the piece's end with Damaged instead of the end."""
        try:
            with self._rclone.open(keys.DATA, _path(piece.sha256)) as content:
                yield verified(content, piece)
        except RcloneFailed as error:
            if not error.absent:
                raise
            raise Damaged(f"{piece.sha256} is not there") from error
        except TargetUnreachable as error:
            raise Damaged(f"{piece.sha256} cannot be read to its end") from error

    def get(self, piece: Piece) -> bytes:
        """All of it, in memory. Raises Damaged."""
        with self.open(piece) as content:
            return b"".join(content)

    def remove(self, sha256: str) -> None:
        self._rclone.delete(keys.DATA, _path(sha256))

    def backups(self) -> list[Summary]:
        """The newest last. Their ids alone do not tell the order of two that were made within one second."""
        paths = [path for path, _size in self._rclone.list(keys.DATA, _BACKUPS) if path.endswith("/summary")]
        return sorted(map(self._summary, paths), key=lambda one: (one.created_at, one.id))

    def newest(self) -> Summary | None:
        found = self.backups()
        return found[-1] if found else None

    def find(self, backup_id: str | None) -> Summary:
        """The backup whose id begins so; the newest without one. Raises BackupError."""
        found = [one for one in self.backups() if backup_id is None or one.id.startswith(backup_id)]
        if not found:
            what = f"no backup {backup_id}" if backup_id else "no finished backup"
            raise BackupError(f"There is {what} at {self.target}: `kargah backup list` shows what there is.")
        if backup_id is not None and len(found) > 1:
            raise BackupError(f"{backup_id} is the beginning of {len(found)} backups: give more of it.")
        return found[-1]

    def contents(self, backup: Summary) -> Contents:
        """Raises Damaged."""
        path = f"{_BACKUPS}/{backup.id}/contents"
        packed = self._read(path)
        if hashlib.sha256(packed).hexdigest() != backup.contents_sha256:
            raise Damaged(f"The list of contents of the backup {backup.id} is damaged.")
        return Contents.model_validate_json(zlib.decompress(packed))

    def write(self, contents: Contents, summarize: Callable[[str], Summary]) -> Summary:
        """Make the backup be there; `summarize` is given the sha256 of its contents."""
        packed = zlib.compress(contents.model_dump_json(by_alias=True).encode())
        summary = summarize(hashlib.sha256(packed).hexdigest())
        self._write(f"{_BACKUPS}/{summary.id}/contents", packed)
        self._write(f"{_BACKUPS}/{summary.id}/summary", summary.model_dump_json(by_alias=True).encode())
        return summary

    def forget(self, backup_id: str) -> None:
        """The summary first: a backup without its contents must not be seen."""
        for name in ("summary", "contents"):
            self._rclone.delete(keys.DATA, f"{_BACKUPS}/{backup_id}/{name}")

    def locks(self) -> dict[str, str]:
        """Name -> what its owner wrote."""
        names = [path.rpartition("/")[2] for path, _size in self._rclone.list(keys.DATA, _LOCKS)]
        return {name: text for name in names if (text := self._lock(name)) is not None}

    def write_lock(self, name: str, text: str) -> None:
        self._write(f"{_LOCKS}/{name}", text.encode())

    def remove_lock(self, name: str) -> None:
        self._rclone.delete(keys.DATA, f"{_LOCKS}/{name}")

    def _lock(self, name: str) -> str | None:
        try:
            return self._read(f"{_LOCKS}/{name}").decode()
        except Damaged:
            return None  # its owner has just ended

    def _summary(self, path: str) -> Summary:
        try:
            return Summary.model_validate_json(self._read(path))
        except ValidationError as error:
            raise Damaged(f"The backup {path.split('/')[1]} is damaged: its summary cannot be read.") from error

    def _read(self, path: str) -> bytes:
        try:
            with self._rclone.open(keys.DATA, path) as content:
                return b"".join(content)
        except TargetUnreachable as error:
            raise Damaged(f"{path} at {self.target} cannot be read: {error}") from error

    def _write(self, path: str, content: bytes) -> None:
        self._rclone.put(keys.DATA, path, [content])


@contextmanager
def open_vault(target: str, password: str, *, create: bool = False) -> Iterator[Vault]:
    """The place at `target` (`remote:path`, or a folder); with `create` a new one is made.

    Raises WrongPassword, BackupError when there is none, TargetUnreachable.
    """
    is_new = create and not keys.has_key(target)
    key = keys.make_key(target, password) if is_new else keys.find_key(target, password)
    with serving(keys.data_settings(target, key)) as rclone:
        yield Vault(rclone, target)


def verified(content: Iterable[bytes], piece: Piece) -> Iterator[bytes]:
    """`content` as it is; Damaged at its end when it is not `piece`."""
    digest, size = hashlib.sha256(), 0
    for data in content:
        digest.update(data)
        size += len(data)
        yield data
    if digest.hexdigest() != piece.sha256:
        raise Damaged(f"{size} bytes came for {piece.sha256}, and they are not what was saved")


def _path(sha256: str) -> str:
    return f"{_OBJECTS}/{sha256[:2]}/{sha256}"
