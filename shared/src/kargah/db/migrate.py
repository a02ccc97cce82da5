"""Bring services' schemas up to date: `python -m kargah.db.migrate gateway dataset-svc registry`, or some of them.

A service keeps its steps in `<package>/migrations/versions/NNNN_what.py`: alembic revisions with `upgrade()` and,
where it can be undone, `downgrade()`. Names are without a schema: the role's search_path places them. The
environment is shared (`kargah/db/migration_environment`), so a service needs no `env.py`.
"""

from __future__ import annotations

import sys
import time
from importlib.util import find_spec
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from kargah.db.engine import Engine, create_engine
from kargah.db.settings import MigrationSettings

PACKAGES = {"gateway": "gateway", "dataset-svc": "dataset_svc", "registry": "registry"}
_ENVIRONMENT = Path(__file__).with_name("migration_environment")
_LOCK_NOT_AVAILABLE = "55P03"
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
_LOCK_CLASS = 0x4B61  # the first of two numbers of the advisory lock: "Ka"


def migrate(url: str, service: str, revision: str = "head") -> None:
    """Upgrade the schema behind `url` to `revision`, all or nothing; two starters wait for each other.

    Raises `LookupError` for an unknown service, SQLAlchemy's errors when a step fails (nothing is kept then).
    """
    migrate_folder(url, versions_folder(service), revision)


def migrate_folder(url: str, versions: Path, revision: str = "head", *, lock_seconds: float = 5.0) -> None:
    """The same for a folder of alembic revisions.

    A step that waits for a table holds up everybody who comes after it. So it waits `lock_seconds` at most, then all is
    undone, the others go on, and it is tried again: for about a minute, then SQLAlchemy's error says so.
    """
    engine = create_engine(url, application_name="kargah-migrate", statement_timeout_seconds=None)
    try:
        for pause in (*_PAUSES, None):
            try:
                return _migrate_once(engine, versions, revision, lock_seconds)
            except OperationalError as error:
                if pause is None or getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
            time.sleep(pause)
    finally:
        engine.dispose()


def upgrade(connection: Connection, versions: Path, revision: str = "head") -> None:
    """Carry out the steps of a folder up to `revision`, within the transaction of `connection`."""
    command.upgrade(_config(versions, connection), revision)


def versions_folder(service: str) -> Path:
    """Where `service` keeps its migration steps. Raises `LookupError`, naming the services there are."""
    if service not in PACKAGES:
        raise LookupError(f"unknown service {service!r}: one of {', '.join(PACKAGES)}")
    spec = find_spec(PACKAGES[service])
    if spec is None or not spec.submodule_search_locations:
        raise LookupError(f"the package {PACKAGES[service]} is not installed")
    return Path(spec.submodule_search_locations[0]) / "migrations" / "versions"


def steps(versions: Path) -> list[str]:
    """Every revision of a folder, the first one first."""
    return [step.revision for step in ScriptDirectory.from_config(_config(versions, None)).walk_revisions()][::-1]


def heads(versions: Path) -> list[str]:
    """The newest revisions of a folder: one, unless two branches were merged carelessly."""
    return list(ScriptDirectory.from_config(_config(versions, None)).get_heads())


def _config(versions: Path, connection: Connection | None) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", _literal(_ENVIRONMENT))
    config.set_main_option("version_locations", _literal(versions))
    config.set_main_option("path_separator", "newline")
    return config


def _literal(path: Path) -> str:
    """Alembic expands percent signs in its options."""
    return str(path).replace("%", "%%")


def _migrate_once(engine: Engine, versions: Path, revision: str, lock_seconds: float) -> None:
    with engine.begin() as connection:
        _wait_for_turn(connection)
        connection.execute(text(f"SET LOCAL lock_timeout = {int(lock_seconds * 1000)}"))
        upgrade(connection, versions, revision)


def _wait_for_turn(connection: Connection) -> None:
    """One migration per schema at a time; the lock goes with the transaction."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:lock_class, hashtext(current_schema()))"), {"lock_class": _LOCK_CLASS}
    )


def main(arguments: list[str]) -> int:
    """The command line: the services. Exit status 2 when there is none, or an unknown one."""
    if not arguments or not set(arguments) <= PACKAGES.keys():
        print(f"usage: python -m kargah.db.migrate {'|'.join(PACKAGES)} ...", file=sys.stderr)
        return 2
    settings = MigrationSettings()
    for service in arguments:
        migrate(settings.url_of(service), service)
        print(f"{service}: the schema is up to date")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
