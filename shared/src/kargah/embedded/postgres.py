"""The embedded Postgres: a real server from a wheel, on loopback, with a password, under the data folder."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import psycopg

from kargah.embedded.folder_lock import FolderLock
from kargah.embedded.kept_secret import kept_secret
from kargah.embedded.ports import LOOPBACK, free_port
from kargah.embedded.postgres_cluster import ENV, SUPERUSER, create_cluster, forget_dead_postmaster
from kargah.embedded.postgres_home import PostgresHome, open_home, remove_home
from kargah.embedded.process import Command, ManagedProcess, ProcessFailed

_START_SECONDS = 10.0  # after a kill -9, orphaned backends hold the cluster for a few seconds
_PAUSE_SECONDS = 0.25
_READY_SECONDS = 60.0  # crash recovery replays the write-ahead log first
_STOP_SECONDS = 30.0
_SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
}


class EmbeddedPostgres:
    """One cluster under `data_dir`. `port` None takes a free one at each start.

    `settings` are extra server settings (`postgresql.conf` names), for example `{"fsync": "off"}` in tests.
    """

    def __init__(self, data_dir: Path, port: int | None = None, *, settings: Mapping[str, str] | None = None) -> None:
        self._data_dir = data_dir
        self._fixed_port = port
        self._settings = {**_SETTINGS, **(settings or {})}
        self._port = port
        self._lock = FolderLock(data_dir / "postgres" / "lock")
        self._process: ManagedProcess | None = None
        self._password = ""

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1. Raises `RuntimeError` before the first start when none was given."""
        if self._port is None:
            raise RuntimeError("the embedded Postgres has no port before it is started")
        return self._port

    @property
    def pid(self) -> int:
        """Process id of the postmaster. Raises `RuntimeError` before the first start."""
        if self._process is None:
            raise RuntimeError("the embedded Postgres was not started")
        return self._process.pid

    @property
    def superuser_dsn(self) -> str:
        """URL of the superuser in the database `postgres`: for setting up, never for a service."""
        return self.dsn("postgres", SUPERUSER, self._password)

    def dsn(self, database: str, user: str, password: str) -> str:
        """`postgresql://` URL of `database` for `user`."""
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@{LOOPBACK}:{self.port}/{quote(database)}"

    def alive(self) -> bool:
        """Whether the postmaster runs."""
        return self._process is not None and self._process.alive()

    def start(self) -> Self:
        """Create the cluster if there is none, start the server, return once it answers.

        Raises `ProcessFailed` with the end of the server's log, or `UnusablePostgresFolder`, or
        `FolderInUse` when another server works on the cluster.
        """
        if self.alive():
            return self
        home = open_home(self._data_dir)
        self._lock.release()  # held still when the server crashed: what it left behind must end first
        try:
            self._lock.acquire(_START_SECONDS)
            self._start_in(home)
        except BaseException:
            self.stop()
            raise
        return self

    def keep_port(self) -> None:
        """Start again at the same address from now on: others have been told it."""
        self._fixed_port = self.port

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back and connections closed."""
        if self._process:
            self._process.stop(_STOP_SECONDS)
        self._lock.release()

    def kill(self) -> None:
        """SIGKILL, as a crash would: committed rows survive and the next start recovers them."""
        if self._process:
            self._process.kill()
        self._lock.release()

    def destroy(self) -> None:
        """Stop, then delete the cluster with all its data."""
        self.stop()
        remove_home(self._data_dir)

    def _start_in(self, home: PostgresHome) -> None:
        binaries = home.install_binaries()
        self._password = kept_secret(home.password_file)
        if not home.cluster.exists():
            create_cluster(home, binaries, self._password)
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                return self._start_once(home, binaries)
            except ProcessFailed:
                if time.monotonic() > deadline:
                    raise
            self.stop()
            time.sleep(_PAUSE_SECONDS)

    def _start_once(self, home: PostgresHome, binaries: Path) -> None:
        self._lock.acquire(_START_SECONDS)
        forget_dead_postmaster(home.cluster)
        self._port = self._fixed_port or free_port()
        self._process = ManagedProcess(self._command(home, binaries))
        self._process.wait_ready(self._answers, _READY_SECONDS)

    def _command(self, home: PostgresHome, binaries: Path) -> Command:
        settings = {**self._settings, "port": str(self.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Command(
            name="embedded Postgres",
            arguments=[str(binaries / "postgres"), "-D", str(home.cluster), *options],
            log_file=self._data_dir / "logs" / "postgres.log",
            cwd=home.root,
            env=ENV,
            identity=home.identity,
            inherited=[self._lock.descriptor],
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
        )

    def _answers(self) -> bool:
        """True once our own superuser is let in: a stranger on the port would not know the password."""
        try:
            with psycopg.connect(self.superuser_dsn, connect_timeout=2) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
