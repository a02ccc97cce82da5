"""From a job's kind to the module that does it; each is imported when it is needed, for some bring much."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

from kargah.domain.kinds import Kind
from worker.trainer.context import Outcome, RunContext
from worker.trainer.errors import Interruption

_MODULES: Mapping[Kind, str] = {
    Kind.TRAIN: "worker.kinds.train",
    Kind.EVALUATE: "worker.kinds.evaluate",
    Kind.EXPORT: "worker.kinds.export",
    Kind.PUSH: "worker.kinds.push",
    Kind.INSTALL: "worker.kinds.install",
    Kind.IMPORT: "worker.kinds.import_rows",
}


def run_job(context: RunContext) -> Outcome:
    """Do what the run's spec says. Raises TrainingError, DomainError, OSError.

    What is interrupted with nothing to keep begins anew when the job is taken up again.
    """
    run: Callable[[RunContext], Outcome] = import_module(_MODULES[context.spec.kind]).run
    try:
        return run(context)
    except Interruption as interruption:
        return "paused" if interruption.action == "pause" else "drained"
