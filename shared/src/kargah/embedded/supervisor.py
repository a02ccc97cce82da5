"""Keep a stack running: in the foreground until a signal, or detached."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from kargah.embedded.errors import StackError
from kargah.embedded.stack import Stack, running_stack

_WATCH_SECONDS = 1.0
_DETACHED_READY_SECONDS = 240.0


def run_foreground(stack: Stack, *, on_ready: Callable[[str], None]) -> None:
    """Start `stack`, call `on_ready(url)`, and serve until SIGINT or SIGTERM; services that end are started again."""
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    before = {which: signal.signal(which, end) for which in (signal.SIGINT, signal.SIGTERM)}
    try:
        stack.start()
        if not ended.is_set():
            on_ready(stack.url)
        while not ended.wait(_WATCH_SECONDS):
            for name in stack.revive():
                print(f"{name} had ended and was started again; see {stack.data_dir}/logs", file=sys.stderr)
    finally:
        stack.stop()
        for which, handler in before.items():
            signal.signal(which, handler)


def run_detached(data_dir: Path, port: int, workers: int, *, auth: bool = False) -> str:
    """Start a stack that outlives the caller; its URL once it is ready. Raises StackError with what it said."""
    log_file = data_dir / "logs" / "stack.log"
    log_file.parent.mkdir(parents=True, exist_ok=True)
    options = [
        "--data",
        str(data_dir),
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--auth" if auth else "--no-auth",
    ]
    command = [sys.executable, "-m", "kargah.cli.main", "up", *options]
    with log_file.open("wb") as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + _DETACHED_READY_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        found = running_stack(data_dir)
        if found is not None and found.pid == child.pid:
            return found.url
        time.sleep(0.1)
    child.terminate()
    child.wait()
    raise StackError(log_file.read_text(errors="replace").strip() or "the stack did not become ready")
