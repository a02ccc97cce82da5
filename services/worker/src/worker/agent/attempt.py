"""One attempt at one job, from the claim to the last write."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kargah.contracts.jobs import JobError
from kargah.contracts.runs import CheckpointMessage, OutputMessage, RunSpec
from kargah.domain.job_state import Cause, Desired
from kargah.domain.kinds import Kind, facts_of
from kargah.domain.wording import counted
from kargah.jobstore.values import Claim
from kargah.ports.object_store import ObjectStore
from kargah.telemetry import traces
from kargah.telemetry.logging import get_logger
from worker.agent.background import Background
from worker.agent.checkpoints import CheckpointStorage
from worker.agent.collector import Collector
from worker.agent.drain import Drain
from worker.agent.ending import Ending, Failed, Finished, GivenBack, Over, Paused
from worker.agent.faults import OF_THIS_MACHINE, ending_for
from worker.agent.group import Group
from worker.agent.import_sources import ImportSources
from worker.agent.inputs import InputFetcher, Inputs
from worker.agent.keeper import LeaseKeeper, Loss, Pace
from worker.agent.launcher import Launcher, Trainer
from worker.agent.ledger import AttemptLedger, Ledger
from worker.agent.metrics import AgentMetrics
from worker.agent.outputs import OutputPublisher
from worker.agent.peers import Peers
from worker.agent.restore import Restore
from worker.agent.supervise import Supervisor
from worker.agent.watch import Lost, Watch
from worker.agent.work_folder import work_folder

_log = get_logger(__name__)
_CLOSE_SECONDS = 1.0


@dataclass(frozen=True)
class Tools:
    """What every attempt of this agent works with. `deadlines`: allowed seconds of silence by phase. `group`: the
    machines of this worker, where it consists of several."""

    ledger: Ledger
    store: ObjectStore
    peers: Peers
    launcher: Launcher
    metrics: AgentMetrics
    drain: Drain
    pace: Pace
    deadlines: Mapping[str, float]
    work_root: Path
    cache_dir: Path
    threads: int
    sources: ImportSources = field(default_factory=lambda: ImportSources({}))
    group: Group | None = None


@dataclass(frozen=True)
class Report:
    """How an attempt ended, for metrics; `back_off` when the next one here would likely meet the same trouble."""

    outcome: str
    back_off: bool = False


class Attempt:
    """Make one per claim, and call `run` once, from the agent's main thread."""

    def __init__(self, tools: Tools, claim: Claim, claimed_at: float) -> None:
        """`claimed_at`: monotonic time from before the claim was sent."""
        self._tools = tools = replace(tools, peers=tools.peers.of(claim.owner))
        self._claim = claim
        self._ledger: AttemptLedger = tools.ledger.attempt(claim)
        self._collector = Collector()
        self._woken = threading.Event()
        self._background = Background(self._woken.set)
        self._keeper = LeaseKeeper(
            self._ledger, tools.pace, claimed_at, on_loss=self._let_go, on_change=self._woken.set
        )
        self._watch = Watch(self._ledger, self._keeper, self._background, self._collector, self._woken)
        self._publisher = OutputPublisher(claim, tools.peers, tools.store, self._ledger, self._background)
        self._trainer: Trainer | None = None

    def run(self) -> Report:
        """To the end, whatever happens."""
        with ExitStack() as folder, self._keeper:
            try:
                return self._settle(self._try(folder))
            except Lost as lost:
                _log.warning("attempt lost its job", reason=lost.loss.value)
                return Report(lost.loss.value)
            finally:
                self._background.close(_CLOSE_SECONDS)

    @property
    def _name(self) -> str:
        return f"{self._claim.job_id}-{self._claim.generation}"

    def _try(self, cleanup: ExitStack) -> Ending:
        """The folder goes with `cleanup`; that there is no room for one is a fault like any other."""
        try:
            return self._work(cleanup.enter_context(work_folder(self._tools.work_root, self._name)))
        except Over as over:
            return over.ending
        except Lost:
            raise
        except Exception as error:  # the edge of an attempt: a fault of ours must not end the agent, nor the queue
            _log.exception("attempt failed inside the agent")
            message = f"The worker itself failed: {type(error).__name__}: {error}"
            return ending_for(error) or Failed(JobError(code="worker_error", message=message, permanent=False))

    def _work(self, folder: Path) -> Ending:
        with traces.span("prepare"):
            inputs = self._prepare(folder)
        trainer = self._start(folder, inputs)
        storage = self._storage()
        supervisor = Supervisor(self._watch, trainer, storage.submit, self._tools.drain, self._tools.deadlines)
        try:
            with traces.span("run"):
                ending = supervisor.run(lambda message: self._tools.metrics.observe(self._claim.job_id, message))
        except Over as over:
            ending = over.ending
        ending = self._after_uploads(supervisor, ending)
        if not isinstance(ending, Finished):
            return ending
        with traces.span("publish"):
            return self._publish(ending, inputs)

    def _prepare(self, folder: Path) -> Inputs:
        self._collector.phase("preparing")
        self._collector.log("info", f"Attempt {self._claim.generation}: fetching model, data and checkpoint.")
        claim, tools = self._claim, self._tools
        restore = Restore(claim.job_id, tools.store, self._ledger, self._background)
        fetcher = InputFetcher(claim, tools.store, tools.peers, restore, self._background, tools.cache_dir, folder)
        inputs = self._watch.wait_for(self._background.submit(fetcher.fetch), self._before_start)
        self._tell_start(inputs)
        return inputs

    def _tell_start(self, inputs: Inputs) -> None:
        for checkpoint, problem in inputs.restored.broken:
            self._collector.event(
                "checkpoint_damaged", step=checkpoint.step, file=problem.file, reason=problem.reason, id=checkpoint.id
            )
            self._collector.log("warning", f"The checkpoint of step {checkpoint.step} is damaged: {problem}")
        self._collector.resumed_at(inputs.restored.step)
        if inputs.restored.directory is not None:
            self._collector.event("resumed", step=inputs.restored.step)
            self._collector.log("info", f"Resuming after step {inputs.restored.step}.")

    def _start(self, folder: Path, inputs: Inputs) -> Trainer:
        launcher = self._tools.launcher
        self._watch.wait_until(lambda: not launcher.warming(), self._before_start)
        trainer = launcher.start(self._spec(folder, inputs), folder)
        self._trainer = trainer
        if self._keeper.loss is not None:  # lost while it was being started: the other thread saw no trainer yet
            trainer.child.kill()
        return trainer

    def _spec(self, folder: Path, inputs: Inputs) -> RunSpec:
        version = inputs.dataset.version if inputs.dataset else None
        model = inputs.model
        return RunSpec(
            job_id=self._claim.job_id,
            generation=self._claim.generation,
            kind=Kind(self._claim.kind),
            recipe=self._claim.config.recipe,
            params=self._tools.sources.params(self._claim.kind, self._claim.config.params),
            model_dir=str(model.model_dir) if model else None,
            base_dir=str(model.base_dir) if model and model.base_dir else None,
            dataset_path=str(inputs.dataset_path) if inputs.dataset_path else None,
            dataset_format=version.format if version else None,
            dataset_sha256=version.sha256 if version else None,
            splits_path=str(inputs.splits_path) if inputs.splits_path else None,
            splits_sha256=version.splits.sha256 if version and version.splits else None,
            split_names=version.splits.names if version and version.splits else [],
            resume_dir=str(inputs.restored.directory) if inputs.restored.directory else None,
            work_dir=str(folder),
            cache_dir=str(self._tools.cache_dir),
            threads=self._tools.threads,
            devices=self._claim.config.devices,
            nodes=self._tools.group.plan(self._name) if self._tools.group is not None else None,
            facts=inputs.facts,
        )

    def _storage(self) -> CheckpointStorage:
        claim, tools = self._claim, self._tools
        return CheckpointStorage(
            claim.job_id, claim.generation, tools.store, self._ledger, self._background, tools.metrics
        )

    def _after_uploads(self, supervisor: Supervisor, ending: Ending) -> Ending:
        """Checkpoints that are on their way arrive first: what follows this attempt starts from them."""
        try:
            supervisor.settle_uploads()
            while supervisor.uploads:
                self._watch.wait_until(supervisor.uploads[0][1].done, self._time_up)
                supervisor.settle_uploads()
        except Over as over:
            return over.ending
        return _unless_unsaved(ending, supervisor.failed)

    def _publish(self, ending: Finished, inputs: Inputs) -> Ending:
        self._collector.phase("saving")
        self._tell_output(ending.output)
        result = self._watch.persist(lambda: self._publisher.publish(ending.output, inputs.lineage), self._time_up)
        self._tell_result(result)
        self._watch.flush()
        self._watch.persist(self._publisher.store_log, self._time_up)
        self._watch.insist(lambda: self._ledger.finish(result, ending.outcome))
        return ending

    def _tell_output(self, output: OutputMessage) -> None:
        files, size = len(output.files), sum(file.size_bytes for file in output.files)
        if facts_of(self._claim.kind).makes != "figures":
            self._collector.log("info", f"Saving {counted(files, 'file')}, {size / 1e6:.1f} MB")

    def _tell_result(self, result: Mapping[str, Any]) -> None:
        made = result.get("model") or result.get("dataset")
        if made is not None and "version" in result:
            self._collector.log("info", f"Registered as {made} version {result['version']}")

    def _settle(self, ending: Ending) -> Report:
        match ending:
            case Finished():
                return Report(ending.outcome)
            case Paused():
                self._watch.flush()
                self._watch.insist(self._ledger.paused)
                return Report("paused")
            case GivenBack():
                self._watch.flush()
                self._watch.insist(lambda: self._ledger.requeue(ending.reason, ending.cause))
                return Report("given_back", ending.back_off)
            case Failed():
                return self._fail(ending.error)

    def _fail(self, error: JobError) -> Report:
        self._collector.log("error", error.message)
        self._watch.flush()
        try:
            self._watch.wait_for(self._background.submit(self._publisher.store_log), self._time_up)
        except Over:
            _log.warning("whole log not stored")
        status = self._watch.insist(lambda: self._ledger.fail(error))
        _log.info("attempt failed", code=error.code, job_is=status.value)
        return Report("failed" if error.permanent else "crashed", back_off=error.code in OF_THIS_MACHINE)

    def _let_go(self, loss: Loss) -> None:
        """In the keeper's thread: end the trainer at once, and drop what is under way."""
        _log.warning("killing the trainer", reason=loss.value)
        if self._trainer is not None:
            self._trainer.child.kill()
        self._background.abort()

    def _before_start(self) -> Ending | None:
        orders = self._keeper.orders
        if orders is not None and orders.desired is Desired.PAUSE:
            return Paused()
        return GivenBack("the worker is shutting down", Cause.SHUTTING_DOWN) if self._tools.drain.wanted else None

    def _time_up(self) -> Ending | None:
        reason = "the worker shut down before everything was stored"
        return GivenBack(reason, Cause.NOT_STORED) if self._tools.drain.time_up() else None


def _unless_unsaved(ending: Ending, failed: list[CheckpointMessage]) -> Ending:
    """A pause whose checkpoint is not stored would lose work silently: it is told as a failure (and pauses)."""
    if isinstance(ending, Paused) and any(message.reason == "pause" for message in failed):
        message = "The checkpoint for the pause could not be stored; the one before it is current."
        return Failed(JobError(code="checkpoint_not_stored", message=message, permanent=False))
    return ending
