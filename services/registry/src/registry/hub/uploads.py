"""Uploads of large files: where to send them, and what came. Addresses are signed: they come without a token."""

from __future__ import annotations

import hashlib
import hmac
import io
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, cast

from kargah.domain.errors import FieldError, Forbidden, Invalid, TooLarge
from kargah.domain.scope import EVERY, current_project
from kargah.ports.object_store import ObjectMissing, ObjectStore
from registry.blobs.pieces import Piece
from registry.blobs.service import BlobService, check_sha256

PARTS = "uploads/"
_SECONDS = 24 * 3600
_MOST_PARTS = 10_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """The right to upload one file into a project, until `expires` (seconds since 1970)."""

    sha256: str
    size_bytes: int
    expires: int
    project: str

    def members(self, secret: bytes) -> dict[str, str]:
        """What its addresses carry in their query."""
        return {
            "size": str(self.size_bytes),
            "expires": str(self.expires),
            "project": self.project,
            "signature": self.signature(secret),
        }

    def signature(self, secret: bytes) -> str:
        """Nobody else can make one."""
        text = f"upload\n{self.sha256}\n{self.size_bytes}\n{self.expires}\n{self.project}"
        return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()


class Uploads:
    """Safe to share between threads. Every call may raise Unavailable. `part_bytes`: larger files come in parts."""

    def __init__(self, store: ObjectStore, blobs: BlobService, secret: bytes, *, limit: int, part_bytes: int) -> None:
        self._store = store
        self._blobs = blobs
        self._secret = secret
        self._limit = limit
        self.part_bytes = part_bytes

    def ticket(self, sha256: str, size_bytes: int) -> dict[str, str] | None:
        """The query of the address to upload to; None where the file is there already. Raises Invalid, TooLarge,
        OverQuota."""
        check_sha256(sha256)
        if not 0 <= size_bytes <= self._limit:
            raise TooLarge(f"The file has {size_bytes} bytes; at most {self._limit} are accepted.")
        if self._blobs.size(sha256) == size_bytes:
            return None
        self._blobs.expect(sha256, size_bytes)
        return Ticket(sha256, size_bytes, int(time.time()) + _SECONDS, current_project()).members(self._secret)

    def check(self, sha256: str, size: str, expires: str, project: str, signature: str) -> Ticket:
        """The ticket of an address. Raises Forbidden unless it was signed here and is still good."""
        if not (size.isascii() and size.isdecimal() and expires.isascii() and expires.isdecimal()):
            raise Forbidden("The address to upload to is damaged.")
        ticket = Ticket(sha256, int(size), int(expires), project)
        if not hmac.compare_digest(ticket.signature(self._secret).encode(), signature.encode()):
            raise Forbidden("The address to upload to is damaged.")
        if ticket.expires < time.time():
            raise Forbidden("The address to upload to has expired.", hint="Begin the upload again.")
        return ticket

    def parts_of(self, size_bytes: int) -> int:
        """In how many parts a file comes; 0 for a whole one."""
        if size_bytes <= self.part_bytes or size_bytes > self.part_bytes * _MOST_PARTS:
            return 0
        return -(-size_bytes // self.part_bytes)

    def put(self, ticket: Ticket, source: BinaryIO) -> None:
        """Keep the whole file. Raises Invalid when its bytes are others than those announced."""
        self._blobs.put(ticket.sha256, source)

    def put_part(self, ticket: Ticket, number: int, source: BinaryIO) -> str:
        """Keep a part; what stands for it when the upload is completed. Raises Invalid for a number out of range."""
        if not 1 <= number <= self.parts_of(ticket.size_bytes):
            message = f"The file has {self.parts_of(ticket.size_bytes)} parts."
            raise Invalid("There is no such part.", errors=[FieldError("part", message)])
        counting = _Hashed(source)
        self._store.put_stream(self._key(ticket, number), cast(BinaryIO, counting))
        return counting.digest.hexdigest()

    def complete(self, ticket: Ticket) -> None:
        """Join the parts, which are verified on the way, and drop them. Safe to repeat."""
        count = self.parts_of(ticket.size_bytes)
        if self._blobs.size(ticket.sha256) != ticket.size_bytes:
            keys = [self._key(ticket, number) for number in range(1, count + 1)]
            try:
                self._blobs.join(ticket.sha256, [Piece(key, 0, self._store.stat(key).size) for key in keys])
            except ObjectMissing as error:
                raise Invalid("A part of the file is absent.", hint="Begin the upload again.") from error
        for number in range(1, count + 1):
            self._store.delete(self._key(ticket, number))

    def collect(self, grace: timedelta) -> int:
        """Remove parts that are older than `grace`: their upload was given up. How many."""
        oldest = datetime.now(UTC) - grace
        left = [found.key for found in self._store.list(PARTS) if found.modified_at < oldest]
        for key in left:
            self._store.delete(key)
        return len(left)

    def _key(self, ticket: Ticket, number: int) -> str:
        """Projects have parts of their own: who knows a file's sha256 cannot complete what another project sends."""
        project = current_project()
        own = "" if project == EVERY else f"of-{project}/"
        return f"{PARTS}{own}{ticket.sha256}/{self.part_bytes}/{number:05d}"


class _Hashed(io.RawIOBase):
    """Passes a stream on and hashes it."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self.digest.update(data)
        return data
