"""Take xorbs and shards, and make blobs of the files that shards describe: verified, and stored once."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from kargah.db.engine import Engine
from kargah.db.unit_of_work import UnitOfWork
from kargah.domain.errors import FieldError, Invalid, TooLarge
from kargah.ports.object_store import ObjectMissing, ObjectStore
from registry.blobs import possession_repository
from registry.blobs.pieces import Piece, buffered, merged
from registry.blobs.possession_repository import XORB
from registry.blobs.service import PREFIX as BLOBS
from registry.blobs.service import BlobService
from registry.hub.xet import repository
from registry.hub.xet.repository import Place
from registry.hub.xet.shard import Term, XetFile, read_files
from registry.hub.xet.xorb import ChunkIndex, unpacked

XORBS = "xorbs/"
_HASH = re.compile(r"[0-9a-f]{64}")
_PART = 6 << 20  # clients send many xorbs at once, and each holds two parts in memory


class XetStore:
    """Safe to share between threads. Every call may raise Unavailable. `limit`: of a file, in bytes."""

    def __init__(self, engine: Engine, store: ObjectStore, blobs: BlobService, *, limit: int) -> None:
        self._engine = engine
        self._store = store
        self._blobs = blobs
        self._limit = limit

    def put_xorb(self, xorb: str, source: BinaryIO) -> bool:
        """Keep a xorb for the length of the grace; whether it is new to the project. Raises Invalid for what is none,
        BadRequest for another than its name says."""
        if not _HASH.fullmatch(xorb):
            raise Invalid(
                "The path is not acceptable.", errors=[FieldError("xorb", "64 hexadecimal digits.", "bad_hash")]
            )
        index = ChunkIndex()
        with buffered(unpacked(source, xorb, index)) as stream:
            self._store.put_stream(_key(xorb), stream, part_size=_PART)
        with UnitOfWork(self._engine) as tx:
            known = bool(repository.find(tx.connection, [xorb]))
            repository.save(tx.connection, xorb, index)
            possession_repository.hold(tx.connection, XORB, [xorb])
        return not known

    def put_shard(self, data: bytes) -> int:
        """Make the files of a shard; how many. Raises Invalid when one cannot be made, or is not what it says."""
        files = read_files(data)
        wanted = {term.xorb for file in files for term in file.terms}
        with UnitOfWork(self._engine) as tx:
            known = repository.find(tx.connection, wanted)
            places = repository.places(tx.connection, wanted)
        _check(files, known)
        for file in files:
            self._make(file, known, places)
        with UnitOfWork(self._engine) as tx:
            repository.save_places(tx.connection, [place for file in files for place in _places_of(file)])
        return len(files)

    def collect(self, grace: timedelta) -> int:
        """Remove xorbs that are older than `grace`: their chunks stand in blobs by now, or nobody wants them."""
        oldest = datetime.now(UTC) - grace
        left = [found.key for found in self._store.list(XORBS) if found.modified_at < oldest]
        for key in left:
            self._store.delete(key)
        with UnitOfWork(self._engine) as tx:
            repository.forget(tx.connection, grace)
        return len(left)

    def _make(self, file: XetFile, known: Mapping[str, ChunkIndex], places: Mapping[str, Sequence[Place]]) -> None:
        if file.size_bytes > self._limit:
            raise TooLarge(f"A file has {file.size_bytes} bytes; at most {self._limit} are accepted.")
        if self._blobs.size(file.sha256) == file.size_bytes:
            return
        self._blobs.expect(file.sha256, file.size_bytes)
        try:
            self._blobs.join(file.sha256, merged(self._pieces(file, known, places)))
        except ObjectMissing as error:
            raise Invalid(
                f"Content of the file {file.sha256[:12]} is no longer kept here.",
                hint="Remove the client's cache (~/.cache/huggingface/xet) and push again.",
            ) from error

    def _pieces(
        self, file: XetFile, known: Mapping[str, ChunkIndex], places: Mapping[str, Sequence[Place]]
    ) -> Iterator[Piece]:
        stored = {xorb: self._is_stored(xorb) for xorb in {term.xorb for term in file.terms}}
        for term in file.terms:
            index = known[term.xorb]
            if stored[term.xorb]:
                yield Piece(_key(term.xorb), index.begin(term.first), index.unpacked(term.first, term.last))
            else:
                yield from _in_blobs(term, index, places[term.xorb])

    def _is_stored(self, xorb: str) -> bool:
        try:
            self._store.stat(_key(xorb))
        except ObjectMissing:
            return False
        return True


def _key(xorb: str) -> str:
    """Where the chunks of a xorb lie, unpacked."""
    return f"{XORBS}{xorb}.chunks"


def _in_blobs(term: Term, index: ChunkIndex, places: Sequence[Place]) -> Iterator[Piece]:
    """The xorb has gone; its chunks stand in files that were made of it. Raises ObjectMissing."""
    first = term.first
    while first < term.last:
        fitting = [place for place in places if place.first <= first < place.last]
        if not fitting:
            raise ObjectMissing(term.xorb)
        place = max(fitting, key=lambda place: place.last)
        last = min(place.last, term.last)
        offset = place.place + index.unpacked(place.first, first)
        yield Piece(BLOBS + place.sha256, offset, index.unpacked(first, last))
        first = last


def _check(files: Collection[XetFile], known: Mapping[str, ChunkIndex]) -> None:
    """Every chunk that a file names came with a xorb, and is as large as the file needs it."""
    for term in (term for file in files for term in file.terms):
        index = known.get(term.xorb)
        if index is None or term.last > len(index.ends):
            raise Invalid(
                f"The xorb {term.xorb[:12]} did not come, or lacks chunks.",
                hint="Upload it before the shard; where a client takes it for sent, remove ~/.cache/huggingface/xet.",
            )
        if index.unpacked(term.first, term.last) != term.size_bytes:
            raise Invalid(f"The chunks of the xorb {term.xorb[:12]} are not as large as the shard says.")


def _places_of(file: XetFile) -> Generator[Place, None, None]:
    place = 0
    for term in file.terms:
        yield Place(term.xorb, term.first, term.last, file.sha256, place)
        place += term.size_bytes
