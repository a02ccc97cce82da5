"""A real Postgres with the gateway's schema, for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kargah.db.migrate import migrate
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles

_PASSWORD = "only-for-tests"


@contextmanager
def gateway_database(folder: Path) -> Iterator[str]:
    """The URL of the role `gateway` in a migrated database under `folder`; the server stops at the end."""
    with EmbeddedPostgres(folder, settings={"fsync": "off"}) as server:
        ensure_roles(server.superuser_dsn, "kargah", {"gateway": _PASSWORD})
        url = server.dsn("kargah", "gateway", _PASSWORD)
        migrate(url, "gateway")
        yield url
