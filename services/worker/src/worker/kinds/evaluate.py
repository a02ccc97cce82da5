"""Kind `evaluate`: a model measured on rows of a dataset as its recipe measures held-out ones; nothing is trained."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kargah.contracts.runs import OutputMessage
from kargah.domain.wording import counted
from worker.kinds.prepare import prepare
from worker.recipes.registry import recipe_named
from worker.trainer.artifacts import settle
from worker.trainer.context import Outcome, RunContext
from worker.trainer.identity import versions
from worker.trainer.measuring import Measured, measure


def run(context: RunContext) -> Outcome:
    """The metrics go to step 0; the output's `metrics` are the whole report. Raises TrainingError, Interruption."""
    given = dict(context.spec.params)
    max_rows = given.pop("max_rows", None)
    recipe = recipe_named(context.spec.recipe)
    session = prepare(context, recipe, given)
    began = time.monotonic()
    measured = measure(session, recipe.material(session, session.params), max_rows)
    if session.team.leads:
        _hand_over(context, measured, time.monotonic() - began)
    return "finished"


def _hand_over(context: RunContext, measured: Measured, seconds: float) -> None:
    context.metrics(0, 0.0, measured.metrics)
    told = ", ".join(f"{name} {value:.4g}" for name, value in measured.metrics.items())
    context.log(f"{counted(measured.rows, 'row')}: {told}")
    context.phase("saving")
    context.output(_write(context, _report(context, measured, seconds)))


def _report(context: RunContext, measured: Measured, seconds: float) -> dict[str, Any]:
    return {
        "recipe": context.spec.recipe,
        "metrics": measured.metrics,
        "rows": measured.rows,
        "seconds": round(seconds, 3),
        "samples": [asdict(sample) for sample in measured.samples],
        "versions": versions(),
    }


def _write(context: RunContext, report: dict[str, Any]) -> OutputMessage:
    folder = Path(context.spec.work_dir) / "output"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "evaluation.json").write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")
    return OutputMessage(directory=str(folder), files=settle(folder), metrics=report)
