"""The database as a stream of text: dumped in one snapshot, loaded in one transaction."""

from __future__ import annotations

import re
import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.conninfo import make_conninfo

from kargah.backup.config import dump_environment
from kargah.backup.errors import BackupError
from kargah.backup.place import Place, dump_program

Rows = Connection[tuple[object, ...]]

_LEAST_CHUNK = 1 << 20
_MOST_CHUNK = 16 << 20
_CUT_MASK = (1 << 13) - 1  # about every eight thousandth line may end a chunk
_COPY = re.compile(rb"COPY [^;]+ FROM stdin;\n")
_END_OF_COPY = b"\\.\n"
# A setting of Postgres 17 and later, at its default; an older server does not know it.
_LEFT_OUT = (b"\\", b"SET transaction_timeout")


_SEES_ALL = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"


@contextmanager
def connected(place: Place, *, frozen: bool = False) -> Iterator[Rows]:
    """One transaction in the stack's database, as superuser: every row of every project.

    `frozen`: reading only, and as everything is at this moment. Raises BackupError.
    """
    try:
        connection = psycopg.connect(make_conninfo(place.superuser_url, dbname=place.database), connect_timeout=10)
    except psycopg.OperationalError as error:
        raise BackupError(f"The database does not answer: {error}") from error
    if frozen:
        connection.isolation_level, connection.read_only = IsolationLevel.REPEATABLE_READ, True
    with connection:
        if connection.execute(_SEES_ALL).fetchone() != (True,):
            raise BackupError("A superuser's URL of Postgres is needed: other roles do not see every row.")
        yield connection


def dumped(place: Place, connection: Rows) -> Iterator[bytes]:
    """The whole database as SQL text, line by line, as the transaction of `connection` sees it. Raises BackupError."""
    program = dump_program(connection.info.server_version // 10000)
    exported = cast(tuple[str], connection.execute("SELECT pg_export_snapshot()").fetchone())[0]
    address, password = _without_password(place)
    arguments = [str(program), "--snapshot", exported, "--no-acl", "--encoding=UTF8", f"--dbname={address}"]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=dump_environment(password),
            cwd=Path("/"),
        )
        with process:
            try:
                assert process.stdout is not None
                yield from process.stdout
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            errors.seek(0)
            raise BackupError(f"pg_dump failed: {errors.read().decode(errors='replace').strip()}")


def chunks(lines: Iterable[bytes]) -> Iterator[bytes]:
    """`lines` in compressed pieces of some megabytes, cut where the text itself says so: what did not change since
    the last dump falls into the same pieces as then."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= _MOST_CHUNK or (size >= _LEAST_CHUNK and zlib.crc32(line) & _CUT_MASK == 0):
            yield zlib.compress(b"".join(held))
            held, size = [], 0
    if held:
        yield zlib.compress(b"".join(held))


def lines_of(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The text again, line by line: a piece ends where a line does."""
    for piece in pieces:
        yield from zlib.decompress(piece).splitlines(keepends=True)


def clear(connection: Rows) -> None:
    """Drop everybody's schemas, with all that is in them."""
    found = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE nspname <> 'public' AND nspname <> 'information_schema' "
        "AND nspname NOT LIKE 'pg\\_%'"
    ).fetchall()
    for (name,) in found:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(str(name))))


def load(connection: Rows, lines: Iterator[bytes]) -> None:
    """Carry out a dump within the transaction of `connection`. psycopg's errors pass through."""
    statements: list[bytes] = []
    for line in lines:
        if line.startswith(_LEFT_OUT):
            continue
        if _COPY.fullmatch(line):
            _execute(connection, statements)
            _copy(connection, line, lines)
            statements = []
        else:
            statements.append(line)
    _execute(connection, statements)
    connection.execute("RESET search_path")


def _copy(connection: Rows, statement: bytes, lines: Iterator[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for line in lines:
            if line == _END_OF_COPY:
                return
            copy.write(line)
    raise BackupError("The saved database ends in the middle of a table.")


def _execute(connection: Rows, statements: list[bytes]) -> None:
    if statements:
        connection.execute(b"".join(statements))


def _without_password(place: Place) -> tuple[str, str]:
    """The stack's database for a command line, and the password that must not stand there."""
    parts = urlsplit(place.superuser_url)
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    address = urlunsplit(parts._replace(netloc=f"{name}@{host}", path=f"/{quote(place.database)}"))
    return address, unquote(password)
