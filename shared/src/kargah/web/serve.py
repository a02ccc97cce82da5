"""Run a Flask app under gunicorn, without its command line and without reading its environment variables."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http import get_parser
from gunicorn.sock import create_sockets
from gunicorn.workers.gthread import ThreadWorker

from kargah.telemetry import traces
from kargah.telemetry.logging import configure_logging
from kargah.web.handover import handing_over, is_handed_over
from kargah.web.pace import PacedReader
from kargah.web.settings import WebSettings
from kargah.web.shutdown import finish_all, stopping
from kargah.web.unread import closing_after_refusals, remember_request
from kargah.web.unreadable import LONGEST_REQUEST_LINE, ProblemSocket

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_SHARED_MEMORY = "/dev/shm"
_LAST_SECONDS = 1.0

Hook = Callable[[Flask], object]


def serve(
    name: str, make_app: Callable[[], Flask], settings: WebSettings, *, post_worker_init: Hook | None = None
) -> None:
    """Serve until SIGTERM, then finish the requests under way within `settings.graceful_seconds`.

    In this process, with `settings.threads` threads: whoever started it sees to it that it runs. `make_app` and then
    `post_worker_init(app)` run once the port is bound. Threads must be daemons, or end when
    `kargah.web.shutdown.stopping` is set. Does not return normally: raises `SystemExit`.
    """
    configure_logging(name, settings.log_format, settings.log_level)
    _Server(name, make_app, settings, post_worker_init).run()


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    def __init__(self, name: str, make_app: Callable[[], Flask], settings: WebSettings, hook: Hook | None) -> None:
        self._name = name
        self._make_app = make_app
        self._settings = settings
        self._hook = hook
        super().__init__()

    def load_config(self) -> None:
        for key, value in self._options().items():
            self.cfg.set(key, value)

    def run(self) -> None:
        """gunicorn's worker without its arbiter: a second process that does nothing but watch takes 45 MB."""
        log = self.cfg.logger_class(self.cfg)
        sockets = create_sockets(self.cfg, log)
        worker = _Worker(1, os.getppid(), sockets, self, self.cfg.timeout, self.cfg, log)
        worker.pid, worker.slow_seconds = os.getpid(), self._settings.slow_seconds
        log.info("Listening at: %s (%s)", ", ".join(map(str, sockets)), worker.pid)
        worker.init_process()
        finish_all()
        log.info("Ended")
        sys.exit(0)

    def load(self) -> WSGIApplication:
        traces.start(self._name, self._settings.traces_endpoint, self._settings.traces_sample)
        app = self._make_app()
        traces.see_requests(app)
        if self._hook is not None:
            self._hook(app)
        return handing_over(closing_after_refusals(app, self._settings.slow_seconds))

    def _options(self) -> dict[str, Any]:
        settings = self._settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        return {
            "bind": [f"{host}:{settings.port}"],
            "worker_class": _Worker,
            "threads": settings.threads,
            "graceful_timeout": settings.graceful_seconds,
            "timeout": 60,
            "keepalive": 30,
            "limit_request_line": LONGEST_REQUEST_LINE,
            "proc_name": f"kargah {self._name}",
            "logger_class": _Logger,
            "accesslog": None,
            "pre_request": remember_request,
            "control_socket_disable": True,
            "forwarded_allow_ips": "",
            # The worker's heartbeat is a file: on a disk that stalls, a healthy worker would be killed.
            "worker_tmp_dir": _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None,
        }


class _Worker(ThreadWorker):  # type: ignore[misc]
    """Tells event streams at once that the process is ending. Ends for certain when the grace is over: the interpreter
    would wait for requests that hang."""

    slow_seconds: float

    def handle(self, conn: Any) -> Any:
        """Requests that trickle in end, wherever they are read."""
        if conn.parser is None:
            conn.parser = get_parser(self.cfg, conn.sock, conn.client)
            conn.parser.unreader = PacedReader(conn.sock, self.slow_seconds)
        conn.parser.unreader.begin()
        return super().handle(conn)

    def init_signals(self) -> None:
        hangup = signal.getsignal(signal.SIGHUP)
        super().init_signals()
        signal.signal(signal.SIGHUP, hangup)  # nohup's, say

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        super().handle_error(req, ProblemSocket(client), addr, exc)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """A connection that was handed over is nobody's business here."""
        if is_handed_over(conn.sock):
            self.nr_conns -= 1
        else:
            super().finish_request(conn, fs)

    def handle_exit(self, sig: signal.Signals, frame: FrameType | None) -> None:
        self._end_within(self.cfg.graceful_timeout + _LAST_SECONDS)
        stopping.set()
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: signal.Signals, frame: FrameType | None) -> None:
        self._end_within(_LAST_SECONDS)
        stopping.set()
        super().handle_quit(sig, frame)

    def is_parent_alive(self) -> bool:
        return True

    def _end_within(self, seconds: float) -> None:
        """The kernel does it, whatever the threads are at."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, seconds)


class _Logger(Logger):  # type: ignore[misc]
    """Hands gunicorn's records to the process's own logging, in its format."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self.error_log.propagate = True
        self.access_log.disabled = True
