"""A registry in a process of its own, on a real Postgres and a real S3 server."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from kargah.db.migrate import migrate
from kargah.embedded.config import inherited_environment
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles
from kargah.testing.waiting import wait_until

_PASSWORD = "only-for-tests"


@contextmanager
def registry_process(
    postgres: EmbeddedPostgres, objects: EmbeddedObjectStore, **settings: str
) -> Iterator[httpx.Client]:
    """A client of a running one, with a database and a bucket of its own; `settings` as in its environment."""
    environment = inherited_environment() | _prepared(postgres, objects) | settings
    process = subprocess.Popen([sys.executable, "-m", "registry.main"], env=environment)
    try:
        url = f"http://127.0.0.1:{environment['KARGAH_PORT']}"
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            wait_until(lambda: _is_ready(process, client), timeout=60, every=0.1)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)


def _prepared(postgres: EmbeddedPostgres, objects: EmbeddedObjectStore) -> dict[str, str]:
    name = f"registry-{secrets.token_hex(6)}"
    ensure_roles(postgres.superuser_dsn, name, {"registry": _PASSWORD})
    url = postgres.dsn(name, "registry", _PASSWORD)
    migrate(url, "registry")
    return {
        "KARGAH_PORT": str(free_port()),
        "KARGAH_DATABASE_URL": url,
        "KARGAH_S3_ENDPOINT": objects.url,
        "KARGAH_S3_ACCESS_KEY": objects.access_key,
        "KARGAH_S3_SECRET_KEY": objects.secret_key,
        "KARGAH_S3_BUCKET": name,
        "KARGAH_LOG_LEVEL": "ERROR",
    }


def _is_ready(process: subprocess.Popen[bytes], client: httpx.Client) -> bool:
    assert process.poll() is None
    try:
        return client.get("/readyz").status_code == 200
    except httpx.TransportError:
        return False
