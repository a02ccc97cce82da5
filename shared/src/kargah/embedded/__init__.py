"""The embedded default: real Postgres and S3 servers from wheels, as children of this process (Linux)."""

from __future__ import annotations

from kargah.embedded.folder_lock import FolderInUse
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port, free_ports, port_is_open
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_home import UnusablePostgresFolder
from kargah.embedded.postgres_roles import ensure_roles, grant_tables
from kargah.embedded.process import Command, Identity, ManagedProcess, ProcessFailed

__all__ = [
    "Command",
    "EmbeddedObjectStore",
    "EmbeddedPostgres",
    "FolderInUse",
    "Identity",
    "ManagedProcess",
    "ProcessFailed",
    "UnusablePostgresFolder",
    "ensure_roles",
    "free_port",
    "free_ports",
    "grant_tables",
    "port_is_open",
]
