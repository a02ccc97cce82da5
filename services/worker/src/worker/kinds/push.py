"""Kind `push`: a model version sent to a hub, and compared with what lies there afterwards."""

from __future__ import annotations

from pathlib import Path

from kargah.contracts.runs import OutputMessage
from worker.exports.push_model import Push, push_folder
from worker.trainer.artifacts import settle
from worker.trainer.context import Outcome, RunContext
from worker.trainer.context_reporter import ContextReporter
from worker.trainer.errors import TrainingError


def run(context: RunContext) -> Outcome:
    """The result says where it lies. Sent again, after an interruption, it only sends what is missing.

    Raises TrainingError, Interruption.
    """
    spec = context.spec
    if spec.model_dir is None:
        raise TrainingError("bad_spec", "A push needs a model.", "Submit the job with a model.")
    context.phase("preparing")
    push = Push(
        str(spec.params["repository"]),
        str(spec.params["revision"]),
        bool(spec.params["private"]),
        spec.params.get("endpoint"),
    )
    folder = Path(spec.work_dir) / "output"
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{spec.facts.get('model')} version {spec.facts.get('model_version')}, from Kargah"
    found = push_folder(Path(spec.model_dir), push, title, folder, ContextReporter(context))
    context.phase("saving")
    context.output(OutputMessage(directory=str(folder), files=settle(folder), metrics=found))
    return "finished"
