"""The forked side: from a copy of the zygote to a trainer process of its own."""

from __future__ import annotations

import gc
import os
import random
import sys
import traceback
from pathlib import Path
from typing import NoReturn

from worker.zygote import lifetime
from worker.zygote.entry import run_spec
from worker.zygote.wire import Launch

CRASHED = 70


def become_trainer(launch: Launch, entry: str, zygote_pid: int, fds: tuple[int, int]) -> NoReturn:
    """Never returns: whatever happens, the copy of the zygote's stack is not run any further."""
    code = CRASHED
    try:
        _settle(zygote_pid, Path(launch.log_path))
        code = run_spec(entry, Path(launch.spec_path), *fds)
    except BaseException:  # the edge of the process: the traceback goes to its log, the code to the agent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _settle(zygote_pid: int, log_path: Path) -> None:
    lifetime.lead_own_group()
    lifetime.die_with_parent(zygote_pid)
    lifetime.default_signals()
    lifetime.redirect_output(log_path)
    lifetime.die_first_when_memory_runs_out()
    gc.enable()
    _reseed()


def _reseed() -> None:
    """Fresh randomness: without this every trainer would draw the numbers the zygote would have drawn."""
    random.seed()
    if "numpy" in sys.modules:
        import numpy

        numpy.random.seed(int.from_bytes(os.urandom(4), "little"))
    if "torch" in sys.modules:
        import torch

        torch.seed()
