"""`python -m worker.zygote.main`: started by the agent, with its end of a socket pair as `--channel`."""

from __future__ import annotations

import argparse
import gc
import os
import signal
import socket
import sys
import time

from worker.zygote import lifetime
from worker.zygote.entry import PRELOAD, TRAINER, resolve
from worker.zygote.server import Server
from worker.zygote.wire import Ready, Unfit, send


def main() -> int:
    """Preload, say so, serve until the agent is gone. Exit code 0, or 1 when it cannot serve."""
    options = _options()
    lifetime.die_with_parent(options.parent)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the agent decides when this ends: by closing the channel
    channel = socket.socket(fileno=options.channel)
    began = time.monotonic()
    reason = _preload(options.preload, options.entry)
    if reason is not None:
        send(channel, Unfit(reason=reason))
        return 1
    seconds = round(time.monotonic() - began, 3)
    send(channel, Ready(pid=os.getpid(), threads=lifetime.thread_count(), preload_seconds=seconds))
    Server(channel, options.entry).serve()
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="worker.zygote.main")
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--preload", default=PRELOAD)
    parser.add_argument("--entry", default=TRAINER)
    return parser.parse_args()


def _preload(preload: str, entry: str) -> str | None:
    """Import everything a trainer needs; why this process must not fork, or None.

    The collector is off while importing, and what is there afterwards is frozen: children then share these
    pages instead of copying them when their own collector runs.
    """
    gc.disable()
    try:
        resolve(preload)()
        resolve(entry)
    except Exception as error:  # the edge of the process: any failing import means trainers start cold
        return f"{type(error).__name__}: {error}"
    gc.collect()
    gc.freeze()
    return _gpu_context()


def _gpu_context() -> str | None:
    if "torch" not in sys.modules:
        return None
    import torch

    initialised: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    return "CUDA was initialised before forking" if initialised else None


if __name__ == "__main__":
    raise SystemExit(main())
