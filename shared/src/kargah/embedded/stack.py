"""The embedded default: Postgres, S3 and every service as real processes on loopback, under one data folder."""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx
import psutil

from kargah.embedded.folder_lock import FolderInUse, FolderLock
from kargah.embedded.kept_secret import kept_secret
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import LOOPBACK, port_is_free
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.postgres_roles import ensure_roles, grant_tables
from kargah.embedded.process import ManagedProcess, ProcessFailed
from kargah.embedded.topology import BUCKET, DATABASE, MIGRATED, OWNERS, Endpoints, Ports, Service, migration, services

_READY_SECONDS = 120.0
_MIGRATE_SECONDS = 120.0
_STOP_SECONDS = 20.0  # a worker may need its grace of 15 s to save a checkpoint
_DOWN_SECONDS = 60.0
_RESTART_PAUSE = 2.0


class StackError(RuntimeError):
    """The stack cannot start; the message says why and what to do."""


@dataclass(frozen=True)
class RunningStack:
    """What `run/stack.json` says of a stack that runs; `pid` is the supervisor's."""

    pid: int
    created: float
    url: str

    def alive(self) -> bool:
        """Whether that very supervisor runs: a reused pid was created at another time."""
        try:
            return abs(psutil.Process(self.pid).create_time() - self.created) < 1.0
        except psutil.NoSuchProcess:
            return False


class Stack:
    """One stack on `data_dir`. Start and stop it from the thread that lives as long as it does."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.data_dir = data_dir.resolve()
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self._processes: dict[Service, ManagedProcess] = {}
        self._cleanup = ExitStack()

    def start(self) -> None:
        """Start everything and return once all of it is ready. Raises StackError; nothing is left running then."""
        try:
            self._start()
        except BaseException as error:
            self.stop()
            if isinstance(error, ProcessFailed | FolderInUse | OSError):
                raise StackError(str(error)) from error
            raise

    def stop(self) -> None:
        """Stop everything, the services first; safe to repeat."""
        for process in reversed(self._processes.values()):
            if process.alive():
                os.kill(process.pid, signal.SIGTERM)  # all at once: each has the whole grace
        for process in reversed(self._processes.values()):
            process.stop(_STOP_SECONDS)
        self._processes.clear()
        self._cleanup.close()

    def revive(self) -> list[str]:
        """Start again what has ended; the names of those."""
        ended = [service for service, process in self._processes.items() if not process.alive()]
        for service in ended:
            self._processes[service] = ManagedProcess(service.command(self.data_dir))
        return [service.name for service in ended]

    def _start(self) -> None:
        self._lock()
        if not port_is_free(self.port):
            raise StackError(f"port {self.port} is taken: stop what listens there, or choose another with --port")
        postgres = self._cleanup.enter_context(EmbeddedPostgres(self.data_dir))
        store = self._cleanup.enter_context(EmbeddedObjectStore(self.data_dir))
        endpoints = self._prepare(postgres, store)
        for service in services(self.data_dir, Ports.choose(self.port), endpoints):
            (self.data_dir / service.name).mkdir(exist_ok=True)
            self._processes[service] = ManagedProcess(service.command(self.data_dir))
        for service, process in self._processes.items():
            process.wait_ready(lambda service=service: _is_ready(service.port), _READY_SECONDS)  # type: ignore[misc]
        self._announce()

    def _lock(self) -> None:
        run = self.data_dir / "run"
        run.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(run / "lock")
        try:
            lock.acquire(1.0)
        except FolderInUse as error:
            raise StackError(f"a stack already runs on {self.data_dir}: `kargah down --data` stops it") from error
        self._cleanup.callback(lock.release)

    def _prepare(self, postgres: EmbeddedPostgres, store: EmbeddedObjectStore) -> Endpoints:
        secrets = self.data_dir / "secrets"
        secrets.mkdir(mode=0o700, exist_ok=True)
        passwords = {owner: kept_secret(secrets / owner) for owner in OWNERS}
        ensure_roles(postgres.superuser_dsn, DATABASE, passwords)
        endpoints = Endpoints(
            lambda role: postgres.dsn(DATABASE, role, passwords[role]), store.url, store.access_key, store.secret_key
        )
        client = store.client()
        if not client.bucket_exists(BUCKET):
            client.make_bucket(BUCKET)
        self._migrate(endpoints)
        grant_tables(postgres.superuser_dsn, DATABASE, role="worker", schema="gateway")
        return endpoints

    def _migrate(self, endpoints: Endpoints) -> None:
        running = [ManagedProcess(migration(name, self.data_dir, endpoints)) for name in MIGRATED]
        deadline = time.monotonic() + _MIGRATE_SECONDS
        for process in running:
            while process.alive() and time.monotonic() < deadline:
                time.sleep(0.02)
            if process.exit_status != 0:
                process.kill()
                raise StackError(f"{process.command.name} failed:\n{process.log_tail()}")

    def _announce(self) -> None:
        me = psutil.Process()
        file = self.data_dir / "run" / "stack.json"
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(RunningStack(me.pid, me.create_time(), self.url))))
        partial.replace(file)
        self._cleanup.callback(file.unlink, missing_ok=True)


def running_stack(data_dir: Path) -> RunningStack | None:
    """The stack that runs on `data_dir`, if one does."""
    file = data_dir / "run" / "stack.json"
    if not file.exists():
        return None
    found = RunningStack(**json.loads(file.read_text()))
    return found if found.alive() else None


def stop_stack(found: RunningStack) -> None:
    """Ask the supervisor to stop and wait until it has. Raises StackError after a minute."""
    process = psutil.Process(found.pid)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_DOWN_SECONDS)
    except psutil.TimeoutExpired as error:
        raise StackError(f"the stack (process {found.pid}) did not stop within {_DOWN_SECONDS:.0f} s") from error


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://{LOOPBACK}:{port}/readyz", timeout=5.0, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
