"""The embedded default: Postgres, S3 and every service as real processes on loopback, under one data folder."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from kargah.embedded.errors import StackError
from kargah.embedded.folder_lock import FolderInUse, FolderLock
from kargah.embedded.kept_secret import kept_secret
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.pauses import Pauses
from kargah.embedded.ports import LOOPBACK, port_is_free
from kargah.embedded.postgres import EmbeddedPostgres
from kargah.embedded.preparation import ensure_bucket, prepare
from kargah.embedded.process import ProcessFailed
from kargah.embedded.restore_mark import is_unfinished
from kargah.embedded.service_group import ServiceGroup
from kargah.embedded.topology import DATABASE, Endpoints, Ports, role_passwords, services
from kargah.telemetry.logging import get_logger

_log = get_logger(__name__)
_DOWN_SECONDS = 60.0


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

    def __init__(self, data_dir: Path, port: int, *, workers: int = 1, auth: bool = False) -> None:
        """`auth`: whether people must log in; the first admin's password is then in `admin_file(data_dir)`."""
        self.workers = workers
        self.auth = auth
        self.data_dir = data_dir.resolve()
        self.port = port
        self.url = f"http://{LOOPBACK}:{port}"
        self._services: ServiceGroup | None = None
        self._servers: dict[str, EmbeddedPostgres | EmbeddedObjectStore] = {}
        self._pauses = Pauses()
        self._cleanup = ExitStack()

    def start(self) -> None:
        """Start everything and return once all of it is ready. Raises StackError; nothing is left running then."""
        try:
            self._start()
        except BaseException as error:
            self.stop()
            if isinstance(error, ProcessFailed | FolderInUse | OSError):
                raise StackError(_plain(error)) from error
            raise

    def stop(self) -> None:
        """Stop everything, the services first; safe to repeat."""
        self._cleanup.close()

    def pid(self, name: str) -> int:
        """The process id of a service. Raises KeyError for a name it does not have, or before the start."""
        if self._services is None:
            raise KeyError(name)
        return self._services.pid(name)

    def revive(self) -> list[str]:
        """Start again what has ended; the names of those. A server that cannot be started is tried again later."""
        if self._services is None:
            return []
        return [name for name, server in self._servers.items() if self._revived(name, server)] + self._services.revive()

    def _revived(self, name: str, server: EmbeddedPostgres | EmbeddedObjectStore) -> bool:
        if server.alive() or not self._pauses.due(name):
            return False
        try:
            server.start()
        except (ProcessFailed, FolderInUse, OSError) as error:
            _log.error("cannot be started again", server=name, error=str(error))
            return False
        return True

    def _start(self) -> None:
        self._lock()
        if is_unfinished(self.data_dir):
            raise StackError(f"a restore into {self.data_dir} was not finished: run `kargah restore` again")
        if not port_is_free(self.port):
            raise StackError(f"port {self.port} is taken: stop what listens there, or choose another with --port")
        postgres = self._cleanup.enter_context(EmbeddedPostgres(self.data_dir))
        store = self._cleanup.enter_context(EmbeddedObjectStore(self.data_dir))
        self._servers = {"postgres": postgres, "object-store": store}
        passwords = role_passwords(self.data_dir)
        endpoints = Endpoints(
            lambda role: postgres.dsn(DATABASE, role, passwords[role]),
            store.url,
            store.access_key,
            store.secret_key,
            access=self._access(),
            first_admin=admin_file(self.data_dir) if self.auth else None,
        )
        ensure_bucket(store.client())
        prepare(self.data_dir, postgres, passwords, endpoints)
        ports = Ports.choose(self.port, workers=self.workers)
        self._services = ServiceGroup(self.data_dir, services(self.data_dir, ports, endpoints))
        self._cleanup.callback(self._services.stop)
        self._services.start()
        postgres.keep_port()
        store.keep_port()
        self._announce()

    def _lock(self) -> None:
        run = self.data_dir / "run"
        run.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(run / "lock")
        try:
            lock.acquire(1.0)
        except FolderInUse as error:
            raise StackError(
                f"a stack already runs on {self.data_dir}: `kargah down --data {self.data_dir}` stops it"
            ) from error
        self._cleanup.callback(lock.release)

    def _access(self) -> dict[str, str]:
        if not self.auth:
            return {}
        kept_secret(admin_file(self.data_dir), length=20)
        kept_secret(file := self.data_dir / "secrets" / "jwt", length=43)
        return {"KARGAH_AUTH": "on", "KARGAH_JWT_SECRET_FILE": str(file)}

    def _announce(self) -> None:
        me = psutil.Process()
        file = self.data_dir / "run" / "stack.json"
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(RunningStack(me.pid, me.create_time(), self.url))))
        partial.replace(file)
        self._cleanup.callback(file.unlink, missing_ok=True)


def _plain(error: Exception) -> str:
    """In one line, also where many files could not be copied for one reason."""
    if isinstance(error, shutil.Error) and error.args and error.args[0]:
        copied = error.args[0][0]
        return f"{copied[1]}: {copied[2]}"
    return str(error)


def admin_file(data_dir: Path) -> Path:
    """Where the password of the first admin is kept, that only the folder's owner may read."""
    return data_dir.resolve() / "secrets" / "first-admin"


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
