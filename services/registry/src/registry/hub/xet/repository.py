"""Reading and writing what is known of xorbs. Every function takes a connection; whoever opened it commits."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from kargah.db.engine import Connection
from registry.blobs import possession_repository
from registry.blobs.possession_repository import XORB
from registry.blobs.tables import blobs
from registry.hub.xet.tables import xorb_places, xorbs
from registry.hub.xet.xorb import ChunkIndex


@dataclass(frozen=True, slots=True)
class Place:
    """The chunks from `first` to before `last` stand in the blob `sha256` from `place` (bytes) on."""

    xorb: str
    first: int
    last: int
    sha256: str
    place: int


def save(connection: Connection, xorb: str, index: ChunkIndex) -> None:
    """Note the chunks of a xorb that is in the store now."""
    values = {"hash": xorb, "ends": _packed(index.ends), "sizes": _packed(index.sizes)}
    again = {"ends": values["ends"], "sizes": values["sizes"], "created_at": func.now()}
    connection.execute(insert(xorbs).values(values).on_conflict_do_update(index_elements=[xorbs.c.hash], set_=again))


def find(connection: Connection, wanted: Collection[str]) -> dict[str, ChunkIndex]:
    """The chunks of those of the xorbs that the project ever sent."""
    sent = possession_repository.sent(connection, XORB, wanted)
    query = select(xorbs.c.hash, xorbs.c.ends, xorbs.c.sizes).where(xorbs.c.hash.in_(sent))
    return {row.hash: ChunkIndex(_unpacked(row.ends), _unpacked(row.sizes)) for row in connection.execute(query)}


def places(connection: Connection, wanted: Collection[str]) -> Mapping[str, Sequence[Place]]:
    """Where chunks of these xorbs stand in blobs, by xorb."""
    found: dict[str, list[Place]] = {xorb: [] for xorb in wanted}
    for row in connection.execute(select(xorb_places).where(xorb_places.c.hash.in_(wanted))):
        found[row.hash].append(Place(row.hash, row.first, row.last, row.sha256, row.place))
    return found


def save_places(connection: Connection, found: Sequence[Place]) -> None:
    """Note where chunks stand now. Of the same chunks the newest blob counts: it stays the longest."""
    by_key = {(one.xorb, one.first, one.last): one for one in found}
    for key in sorted(by_key):
        one = by_key[key]
        new = {"sha256": one.sha256, "place": one.place}
        statement = insert(xorb_places).values(hash=one.xorb, first=one.first, last=one.last, **new)
        primary = [xorb_places.c.hash, xorb_places.c.first, xorb_places.c.last]
        connection.execute(statement.on_conflict_do_update(index_elements=primary, set_=new))


def forget(connection: Connection, grace: timedelta) -> None:
    """Drop places in blobs that are gone, and old xorbs of which nothing is left."""
    gone = ~exists().where(blobs.c.sha256 == xorb_places.c.sha256)
    connection.execute(delete(xorb_places).where(gone))
    unused = ~exists().where(xorb_places.c.hash == xorbs.c.hash)
    forgotten = delete(xorbs).where(xorbs.c.created_at < func.now() - grace, unused).returning(xorbs.c.hash)
    possession_repository.forget(connection, XORB, list(connection.execute(forgotten).scalars()))


def _packed(numbers: array[int]) -> bytes:
    copy = array("I", numbers)
    if sys.byteorder == "big":
        copy.byteswap()
    return copy.tobytes()


def _unpacked(data: bytes) -> array[int]:
    numbers = array("I")
    numbers.frombytes(bytes(data))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
