"""Reading and writing the state of fetches. Every function takes a connection; its opener commits.

The lease is the database's: whoever holds it, in whatever process, is the only one who fetches a file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, func, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from kargah.db.engine import Connection
from registry.mirror.tables import fetch_parts, fetches

PREFIX = "mirror/"


@dataclass(frozen=True, slots=True)
class Fetch:
    """How a fetch stands. `active`: somebody holds the lease; `refused`: wrong bytes came a short time ago."""

    generation: int
    active: bool
    refused: bool
    failure: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class KeptPart:
    """`size_bytes` of a file from `begin` on, in an object of their own."""

    etag: str
    begin: int
    size_bytes: int
    generation: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.begin + self.size_bytes

    @property
    def key(self) -> str:
        """Where it is. No two holders of the lease write to the same place."""
        return f"{PREFIX}{self.etag}/{self.generation}/{self.begin:020d}"


def acquire(connection: Connection, etag: str, size_bytes: int, lease: timedelta) -> int | None:
    """Take the lease; its generation. None while somebody else holds it, or wrong bytes came a short time ago."""
    until = func.now() + lease
    first = insert(fetches).values(etag=etag, size_bytes=size_bytes, generation=1, lease_until=until)
    free = and_(
        fetches.c.lease_until < func.now(),
        or_(fetches.c.refused_until.is_(None), fetches.c.refused_until < func.now()),
    )
    again = first.on_conflict_do_update(
        index_elements=[fetches.c.etag],
        set_={"generation": fetches.c.generation + 1, "lease_until": until, "failure": null()},
        where=free,
    )
    generation: int | None = connection.execute(again.returning(fetches.c.generation)).scalar_one_or_none()
    return generation


def renew(connection: Connection, etag: str, generation: int, lease: timedelta) -> bool:
    """Hold the lease for longer; False when another has it."""
    statement = update(fetches).where(*_own(etag, generation)).values(lease_until=func.now() + lease)
    return connection.execute(statement).rowcount == 1


def add_part(connection: Connection, part: KeptPart, lease: timedelta) -> bool:
    """Note a part whose object is there; False when another has the lease."""
    if not renew(connection, part.etag, part.generation, lease):
        return False
    values = {"begin": part.begin, "size_bytes": part.size_bytes, "generation": part.generation}
    connection.execute(insert(fetch_parts).values(etag=part.etag, **values))
    return True


def parts(connection: Connection, etag: str, begin: int = 0) -> list[KeptPart]:
    """The parts of a file that hold bytes from `begin` on, in order."""
    after = fetch_parts.c.begin + fetch_parts.c.size_bytes > begin
    query = select(fetch_parts).where(fetch_parts.c.etag == etag, after).order_by(fetch_parts.c.begin)
    return [KeptPart(row.etag, row.begin, row.size_bytes, row.generation) for row in connection.execute(query)]


def drop_parts(connection: Connection, etag: str, generation: int) -> None:
    """Begin anew, for the holder of the lease."""
    held = select(fetches.c.etag).where(*_own(etag, generation))
    connection.execute(delete(fetch_parts).where(fetch_parts.c.etag.in_(held)))


def find(connection: Connection, etag: str) -> Fetch | None:
    """How the fetch of a file stands, if there is one."""
    query = select(
        fetches.c.generation,
        (fetches.c.lease_until > func.now()).label("active"),
        func.coalesce(fetches.c.refused_until > func.now(), False).label("refused"),
        fetches.c.failure,
    ).where(fetches.c.etag == etag)
    row = connection.execute(query).first()
    return Fetch(row.generation, row.active, row.refused, row.failure) if row is not None else None


def give_up(
    connection: Connection, etag: str, generation: int, failure: Mapping[str, Any] | None, refuse: timedelta | None
) -> None:
    """Give the lease back, and say why; what came is kept for the next try."""
    values: dict[str, Any] = {"lease_until": func.now(), "failure": failure}
    if refuse is not None:
        values["refused_until"] = func.now() + refuse
    connection.execute(update(fetches).where(*_own(etag, generation)).values(values))


def finish(connection: Connection, etag: str, generation: int) -> None:
    """The file is a blob now; its parts are to be removed from the store."""
    connection.execute(delete(fetches).where(*_own(etag, generation)))


def forget(connection: Connection, grace: timedelta) -> None:
    """Drop fetches that nobody went on with for so long."""
    connection.execute(delete(fetches).where(fetches.c.lease_until < func.now() - grace))


def under_way(connection: Connection) -> set[str]:
    """The ETags of all fetches."""
    return set(connection.execute(select(fetches.c.etag)).scalars())


def _own(etag: str, generation: int) -> Sequence[Any]:
    return fetches.c.etag == etag, fetches.c.generation == generation
