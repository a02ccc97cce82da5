"""An agent in the test's own process, on real Postgres, real S3 and real trainer processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry

from kargah.contracts.jobs import JobConfig, JobView
from kargah.db.engine import Engine
from kargah.domain.ids import new_id
from kargah.domain.job_state import TERMINAL, Status
from kargah.domain.kinds import KIND_NAMES
from kargah.jobstore import attempt_repository, query_repository, submission_repository
from kargah.jobstore.values import NewJob, RetryPolicy
from kargah.ports.object_store import ObjectStore
from kargah.testing.jobs import JobBench, job_bench
from worker.agent.attempt import Tools
from worker.agent.child_env import install_env, trainer_env, zygote_env
from worker.agent.drain import Drain
from worker.agent.import_sources import ImportSources
from worker.agent.keeper import Pace
from worker.agent.launcher import Launcher
from worker.agent.ledger import PostgresLedger
from worker.agent.loop import AgentLoop
from worker.agent.metrics import AgentMetrics
from worker.agent.peers import Peers
from worker.agent.zygote_client import ZygoteCommand
from worker.testing.peer_server import PeerTwin, peer_server
from worker.testing.processes import ENTRY, command, poll

_RING_SECONDS = 0.1
AT_ONCE = RetryPolicy(backoff_seconds=0.0)
"""For tests in which nothing looks at a job that waits to be tried again."""
DEADLINES = {"preparing": 30.0, "training": 30.0, "evaluating": 30.0, "saving": 30.0}
Value = TypeVar("Value")


class EagerBell:
    """Rings all the time: the agent asks for jobs over and over, so that no test waits for it to look."""

    def wait(self, timeout: float) -> bool:
        time.sleep(min(timeout, _RING_SECONDS))
        return True

    def close(self) -> None:
        """Nothing to close."""


@dataclass
class AgentBench:
    """Makes agents and jobs, and looks at what became of them."""

    jobs: JobBench
    store: ObjectStore
    peers: PeerTwin
    peers_url: str
    folder: Path
    env: Mapping[str, str]
    zygote: ZygoteCommand | None = None
    entry: str = ENTRY
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def submit(self, kind: str = "train", **params: Any) -> str:
        """Queue a job for the scripted trainer; its id."""
        config = JobConfig(
            recipe="sft",
            base_model=self.peers.add_model("base", {"config.json": b"{}", "model.safetensors": b"weights"}),
            dataset=self.peers.add_dataset("rows", [{"messages": []}]),
            output_model="tuned",
            params=params,
        )
        if kind != "train":
            config = JobConfig(recipe=kind, output_model="tuned", output_dataset="made", params=params)
        return self.submit_config(kind, config)

    def submit_config(self, kind: str, config: JobConfig) -> str:
        """Queue a job for whatever trainer agents start; its id."""
        return self.jobs.do(submission_repository.insert_job, NewJob(new_id("job"), kind, "a job", config))[0].id

    def tools(
        self,
        launcher: Launcher,
        drain: Drain,
        *,
        engine: Engine | None = None,
        lease: float = 10.0,
        deadlines: Mapping[str, float] = DEADLINES,
        name: str = "agent",
        store: ObjectStore | None = None,
        sources: ImportSources | None = None,
        policy: RetryPolicy | None = None,
    ) -> Tools:
        peers = Peers.connect(self.peers_url, self.peers_url)
        return Tools(
            ledger=PostgresLedger(
                engine or self.jobs.engine, name, KIND_NAMES, lease, policy or RetryPolicy(), devices=2
            ),
            store=store or self.store,
            peers=peers,
            launcher=launcher,
            metrics=launcher.metrics,
            drain=drain,
            pace=Pace(lease, min(0.1, lease / 5)),
            deadlines=deadlines,
            work_root=self.folder / name / "work",
            cache_dir=self.folder / name / "cache",
            threads=1,
            sources=sources or ImportSources({}),
        )

    def launcher(self) -> Launcher:
        return Launcher(
            zygote_command=self.zygote,
            entry=self.entry,
            train_env=trainer_env(self.env, self.folder / "cache", 1),
            install_env=install_env(self.env, self.folder / "cache", 1),
            metrics=AgentMetrics(CollectorRegistry()),
        )

    @contextmanager
    def agent(self, *, grace: float = 10.0, **options: Any) -> Iterator[Drain]:
        """An agent that works in a thread until the block ends; the drain ends it sooner."""
        drain = Drain(grace)
        with ExitStack() as cleanup:
            launcher = self.launcher()
            cleanup.callback(launcher.close)
            launcher.warm_up()
            tools = self.tools(launcher, drain, **options)
            cleanup.callback(tools.peers.client.close)
            loop = AgentLoop(tools, EagerBell(), lambda: None)
            thread = threading.Thread(target=loop.run, name="agent-loop")
            thread.start()
            try:
                yield drain
            finally:
                drain.begin()
                thread.join(30)
                assert not thread.is_alive(), "the agent did not end"

    def get(self, job_id: str) -> JobView:
        return self.jobs.get(job_id)

    def wait_status(self, job_id: str, *statuses: Status) -> JobView:
        """The job once it has one of `statuses`."""
        return self.wait(job_id, lambda job: job.status in statuses, f"{statuses}")

    def wait_ended(self, job_id: str) -> JobView:
        return self.wait_status(job_id, *TERMINAL)

    def wait(self, job_id: str, condition: Callable[[JobView], bool], what: str) -> JobView:
        def look() -> JobView | None:
            job = self.get(job_id)
            return job if condition(job) else None

        try:
            return poll(look, f"{job_id}: {what}")
        except AssertionError as error:
            raise AssertionError(f"{error}, now {self.get(job_id)}") from error

    def event_types(self, job_id: str) -> list[str]:
        return [event.type for event in self.jobs.events(job_id)]

    def metric_steps(self, job_id: str) -> list[int]:
        """The steps whose loss is stored."""
        return [point.step for point in self.jobs.metrics(job_id, name="loss")]

    def checkpoint_steps(self, job_id: str) -> list[int]:
        """Of the committed checkpoints, the furthest first."""
        return [stored.step for stored in self.jobs.do(attempt_repository.restorable, job_id)]

    def trainer_pid(self, job_id: str, attempt: int = 1) -> int:
        """The process of that attempt's trainer, once it has said so."""

        def look() -> int | None:
            told = [event.data["pid"] for event in self.jobs.events(job_id) if event.type == "trainer"]
            return told[attempt - 1] if len(told) >= attempt else None

        return poll(look, "the trainer's word")

    def starts(self, job_id: str) -> list[int]:
        """The step that each attempt's trainer started after."""
        return [event.data["from"] for event in self.jobs.events(job_id) if event.type == "trainer"]

    def outcomes(self, job_id: str) -> list[str | None]:
        """Of the attempts, the first one first."""
        attempts = self.jobs.do(query_repository.list_attempts, job_id)
        return [attempt.outcome for attempt in sorted(attempts, key=lambda attempt: attempt.attempt)]


@contextmanager
def agent_bench(database_url: str, store: ObjectStore, folder: Path, env: Mapping[str, str]) -> Iterator[AgentBench]:
    """A bench on a migrated database and an empty bucket; `env` is what agents are started with."""
    with job_bench(database_url) as jobs, peer_server(store) as (twin, url):
        zygote = command(zygote_env(env, folder / "cache"), folder)
        yield AgentBench(jobs, store, twin, url, folder, env, zygote)
