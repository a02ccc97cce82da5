"""Kind `import`: the rows of a packaged corpus, or a data file from elsewhere, for the agent to hand to the dataset
service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from kargah.contracts.runs import OutputMessage
from kargah.domain.wording import counted
from worker.imports import chatterbot
from worker.imports.allowed import Allowed
from worker.imports.config import ImportSettings
from worker.imports.download import Download, Rules
from worker.imports.errors import ImportFailed
from worker.imports.hub import fetch_hub, parse_hub_source
from worker.imports.rows import write_rows
from worker.trainer.artifacts import settle
from worker.trainer.context import Outcome, RunContext
from worker.trainer.context_reporter import ContextReporter

_CORPORA: Mapping[str, Callable[[str], Iterator[dict[str, str]]]] = {"chatterbot": chatterbot.read_corpus}
_LONGEST_NAME = 150


def run(context: RunContext) -> Outcome:
    """The same source gives the same bytes, so that a repeat makes no second version. Raises ImportFailed."""
    source = str(context.spec.params["source"])
    context.phase("preparing")
    reporter = ContextReporter(context)
    reporter.progress(1, f"reading {source.partition('?')[0]}")
    folder = Path(context.spec.work_dir) / "output"
    folder.mkdir(parents=True, exist_ok=True)
    metrics = _bring(source, folder, context, reporter)
    context.phase("saving")
    context.output(OutputMessage(directory=str(folder), files=settle(folder), metrics=metrics))
    return "finished"


def _bring(source: str, folder: Path, context: RunContext, reporter: ContextReporter) -> dict[str, Any]:
    """Have one file in `folder`; what there is to tell of it."""
    if source in _CORPORA:
        return _write_corpus(source, str(context.spec.params["language"]), folder, reporter)
    settings, cache = ImportSettings(), Path(context.spec.cache_dir) / "imports"
    if source.startswith("hf:"):
        path = fetch_hub(parse_hub_source(source), cache, folder, reporter, settings.import_max_bytes)
    elif source.startswith("s3://"):
        path = _fetch(_store_url(context), Rules(None, settings.import_max_bytes), source, cache, folder, reporter)
    else:
        rules = Rules(Allowed(settings.import_hosts), settings.import_max_bytes, settings.import_proxy)
        path = _fetch(source, rules, source, cache, folder, reporter)
    return {"sizeBytes": path.stat().st_size}


def _write_corpus(source: str, language: str, folder: Path, reporter: ContextReporter) -> dict[str, Any]:
    count = write_rows(folder / f"{source}-{language}.jsonl", _CORPORA[source](language))
    reporter.progress(50, counted(count, "row"))
    return {"rows": count}


def _fetch(url: str, rules: Rules, source: str, cache: Path, folder: Path, reporter: ContextReporter) -> Path:
    """Kept in the cache until it is whole, under a name that every try of this source shares."""
    kept = cache / hashlib.sha256(source.encode()).hexdigest()
    kept.parent.mkdir(parents=True, exist_ok=True)
    Download(url, kept, rules, reporter).run()
    name = unquote(urlsplit(source).path).rpartition("/")[2].replace("\0", "")[-_LONGEST_NAME:]
    return kept.replace(folder / (name if name.strip(".") else "file"))


def _store_url(context: RunContext) -> str:
    url = context.spec.params.get("url")
    if not url:
        name = str(context.spec.params["source"]).removeprefix("s3://").partition("/")[0]
        hint = "an administrator can add it to KARGAH_IMPORT_STORES on the workers"
        raise ImportFailed("unknown_store", f"no S3 store is called {name!r} here", hint)
    return str(url)
