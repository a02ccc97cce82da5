"""Kind `import`: the rows of a packaged corpus, for the agent to hand to the dataset service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from kargah.contracts.runs import OutputMessage
from worker.imports import chatterbot
from worker.imports.rows import CorpusMissing, write_rows
from worker.trainer.artifacts import settle
from worker.trainer.context import Outcome, RunContext
from worker.trainer.context_reporter import ContextReporter
from worker.trainer.errors import TrainingError

_CORPORA: Mapping[str, Callable[[str], Iterator[dict[str, str]]]] = {"chatterbot": chatterbot.read_corpus}


def run(context: RunContext) -> Outcome:
    """The same corpus gives the same bytes, so that a repeat makes no second version. Raises TrainingError."""
    source, language = str(context.spec.params["source"]), str(context.spec.params["language"])
    context.phase("preparing")
    reporter = ContextReporter(context)
    reporter.progress(1, f"reading {source}, {language}")
    folder = Path(context.spec.work_dir) / "output"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        count = write_rows(folder / f"{source}-{language}.jsonl", _CORPORA[source](language))
    except CorpusMissing as missing:
        raise TrainingError("corpus_missing", str(missing)) from missing
    reporter.progress(50, f"{count:,} rows")
    context.phase("saving")
    context.output(OutputMessage(directory=str(folder), files=settle(folder), metrics={"rows": count}))
    return "finished"
