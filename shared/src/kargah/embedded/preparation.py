"""What must stand before services start: roles, schemas, tables, the bucket."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from minio import Minio

from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles, grant_tables
from kargah.embedded.process import ManagedProcess, ProcessFailed
from kargah.embedded.topology import BUCKET, DATABASE, Endpoints, migration

_MIGRATE_SECONDS = 120.0


def prepare(data_dir: Path, postgres: EmbeddedPostgres, passwords: Mapping[str, str], endpoints: Endpoints) -> None:
    """Make the roles, bring each owner's tables up to date, let the worker into the gateway's. Repeatable.

    Raises ProcessFailed with the log of a migration that failed.
    """
    ensure_roles(postgres.superuser_dsn, DATABASE, passwords)
    _migrate(data_dir, endpoints)
    grant_tables(postgres.superuser_dsn, DATABASE, role="worker", schema="gateway")


def ensure_bucket(client: Minio) -> None:
    """Make the bucket if there is none."""
    if not client.bucket_exists(BUCKET):
        client.make_bucket(BUCKET)


def _migrate(data_dir: Path, endpoints: Endpoints) -> None:
    """All owners in one process: most of its time goes into starting."""
    process = ManagedProcess(migration(data_dir, endpoints))
    deadline = time.monotonic() + _MIGRATE_SECONDS
    while process.alive() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    if process.exit_status != 0:
        raise ProcessFailed(f"{process.command.name} failed; see {process.command.log_file}:\n{process.log_tail()}")
