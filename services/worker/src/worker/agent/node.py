"""`python -m worker.agent.node`: one machine of a worker that consists of several.

Node 0 is the agent, with all that a worker does. The others have no job of their own: they wait for a run of node 0,
start the ranks that it gives them, and end these with it, or tell it why they ended.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import tempfile
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from types import FrameType

from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from kargah.contracts.runs import FailedMessage, RunSpec
from kargah.telemetry.logging import configure_logging, get_logger
from kargah.telemetry.metrics import new_registry
from worker.agent import main as agent
from worker.agent.child import Child, Start
from worker.agent.child_env import zygote_env
from worker.agent.config import NodeSettings, inherited_environment
from worker.agent.health import HealthServer
from worker.agent.pipe import parse
from worker.agent.zygote_client import Zygote, ZygoteCommand, ZygoteUnavailable
from worker.nodes import wire
from worker.zygote.lifetime import hide_environment

_log = get_logger(__name__)
_RETRY_SECONDS = 1.0
_CONNECT_SECONDS = 5.0
_INVITATION_SECONDS = 360.0
_FORK_SECONDS = 120.0
_EXIT_SECONDS = 5.0
_CHUNK = 1 << 16
_RUN = "run-"


class Follower:
    """A node other than 0, between its runs and in them. Use from one thread: the processes die with it."""

    def __init__(self, settings: NodeSettings, start: Callable[[], Zygote]) -> None:
        """`start` makes a zygote: now, and again when that one has failed."""
        self._settings = settings
        self._start = start
        self._zygote = start()
        self._ended, self._wake = os.pipe()
        self._over = False
        self._asking: socket.socket | None = None

    def end(self, *_: object) -> None:
        """Leave: the run under way is lost to node 0, which goes on from its last checkpoint. It takes no lock, so that
        a signal's handler may call it in the midst of anything."""
        self._over = True
        os.write(self._wake, b"x")
        if self._asking is not None:
            with suppress(OSError):  # it has been closed since
                self._asking.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """One run after the other, until `end`."""
        while not self._over:
            try:
                with socket.create_connection(self._settings.address, timeout=_CONNECT_SECONDS) as connection:
                    self._take_part(self._join(connection))
                continue
            except wire.Stranger as error:
                _log.warning("node 0 is not to be trusted", reason=str(error))
            except ValidationError as error:
                _log.error("node 0 is of another release", fields=_fields(error))
            except ZygoteUnavailable as error:
                _log.error("no processes can be started here", reason=str(error))
            except OSError:
                pass  # no run, and so nobody listens
            select.select([self._ended], [], [], _RETRY_SECONDS)

    def close(self) -> None:
        """End the zygote, and what it has started."""
        self._zygote.close()

    def _join(self, connection: socket.socket) -> wire.Invited:
        self._asking = connection
        if self._over:
            raise OSError("this node is leaving")
        return wire.join(connection, self._settings.group_secret, _INVITATION_SECONDS)

    def _take_part(self, invited: wire.Invited) -> None:
        spec = RunSpec.model_validate_json(invited.plan)
        folder = Path(tempfile.mkdtemp(prefix=_RUN, dir=self._settings.own_dir))
        _log.info("run begins", job_id=spec.job_id, generation=spec.generation)
        with ExitStack() as cleanup:
            cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
            (folder / "spec.json").write_text(spec.model_dump_json(), encoding="utf-8")
            (control_read, control), (messages, messages_write) = os.pipe(), os.pipe()
            for descriptor in (control, messages):
                cleanup.callback(os.close, descriptor)
            start = Start(folder.name, folder / "spec.json", folder / "log", control_read, messages_write)
            try:
                child = self._fork(start)
            finally:
                os.close(control_read)
                os.close(messages_write)
            cleanup.callback(child.release)
            self._follow(invited.connection, child, messages)
            _log.info("run ended", job_id=spec.job_id, generation=spec.generation)

    def _fork(self, start: Start) -> Child:
        if not self._zygote.usable():
            self._zygote.close()
            self._zygote = self._start()
        return self._zygote.fork(start, _FORK_SECONDS)

    def _follow(self, connection: socket.socket, child: Child, messages: int) -> None:
        """Until either side has ended; the other one then hears of it."""
        told = b""
        while True:
            ready, _, _ = select.select([connection.fileno(), messages, self._ended], [], [])
            if messages not in ready:
                return  # node 0 is gone, or this node is to go
            data = os.read(messages, _CHUNK)
            if not data:
                break
            told += data
        for line in told.splitlines():
            if isinstance(parse(line), FailedMessage):
                connection.sendall(line + b"\n")
                return
        if _ended_well(child):
            connection.sendall(wire.LEFT + b"\n")


def _fields(error: ValidationError) -> list[str]:
    """Where it is wrong, without what is there."""
    return [".".join(str(part) for part in each["loc"]) for each in error.errors()]


def _ended_well(child: Child) -> bool:
    waiting = threading.Event()
    for _ in range(int(_EXIT_SECONDS / 0.05)):
        if (status := child.poll()) is not None:
            return status == 0
        waiting.wait(0.05)
    return False


def main() -> int:
    """Run until told to end; the exit code."""
    settings = NodeSettings()
    return agent.main() if settings.node_rank == 0 else _follow(settings, new_registry())


def _follow(settings: NodeSettings, registry: CollectorRegistry) -> int:
    configure_logging("worker", settings.log_format, settings.log_level)
    hide_environment()
    settings.own_dir.mkdir(parents=True, exist_ok=True)
    for left in settings.own_dir.glob(f"{_RUN}*"):
        shutil.rmtree(left, ignore_errors=True)  # of a process that was killed
    env = zygote_env(inherited_environment(), settings.own_dir / "cache")
    command = ZygoteCommand(env, settings.own_dir / "zygote.log", settings.zygote_preload, settings.trainer_entry)
    with ExitStack() as cleanup:
        server = HealthServer(settings.host, settings.metrics_port, {}, registry)
        server.start()
        cleanup.callback(server.close)
        follower = Follower(settings, lambda: Zygote.start(command))
        cleanup.callback(follower.close)
        _on_signals(follower)
        _log.info("node waits for runs", node=settings.node_rank, of=settings.nodes_address)
        follower.serve()
    return 0


def _on_signals(follower: Follower) -> None:
    def end(_number: int, _frame: FrameType | None) -> None:
        follower.end()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


if __name__ == "__main__":
    raise SystemExit(main())
