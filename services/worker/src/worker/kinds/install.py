"""Kind `install`."""

from __future__ import annotations

from worker.installs.run import run_install
from worker.trainer.context import Outcome, RunContext


def run(context: RunContext) -> Outcome:
    """See `worker.installs.run`."""
    return run_install(context.spec, context)
