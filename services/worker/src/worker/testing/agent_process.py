"""The agent as a process of its own, on a bench: to be drained, killed, frozen, or started under something."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from kargah.adapters.postgres_bell import PostgresBell
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.embedded.ports import free_port
from worker.testing.agent_bench import AgentBench
from worker.testing.processes import ENTRY, PRELOAD, until

_READY_SECONDS = 60.0
SCRIPTED = {"KARGAH_TRAINER_ENTRY": ENTRY, "KARGAH_ZYGOTE_PRELOAD": PRELOAD}


@dataclass
class AgentProcess:
    """One `python -m worker.agent.main`; its log is in `log_path`."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    log_path: Path

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False, verify=False)

    def metric(self, line: str) -> float:
        """The value of one series, named with its labels; 0 when it is not there."""
        for found in self.metrics().splitlines():
            name, _, value = found.rpartition(" ")
            if name == line:
                return float(value)
        return 0.0

    def metrics(self) -> str:
        return self.get("/metrics").text

    def answers(self, status: int) -> bool:
        """Whether /readyz answers with `status`; fails the test when the agent has ended."""
        assert self.process.poll() is None, self.log_path.read_text()
        try:
            return self.get("/readyz").status_code == status
        except httpx.TransportError:
            return False


@dataclass
class AgentHouse:
    """Starts agent processes on one bench. `settings` go to every agent; without them all is as by default, except
    that trainers are scripted."""

    bench: AgentBench
    database_url: str
    s3: EmbeddedObjectStore
    bucket: str
    settings: Mapping[str, str]

    def submit(self, **params: Any) -> str:
        """Queue a job for the scripted trainer and ring for it through the database; its id."""
        job_id = self.bench.submit(**params)
        PostgresBell(self.bench.jobs.engine).ring(job_id, "train")
        return job_id

    @contextmanager
    def agent(
        self, name: str, *, under: Sequence[str] = (), ready: int = 200, **settings: str
    ) -> Iterator[AgentProcess]:
        """An agent whose /readyz answers `ready`, killed at the end. `under` is a command that runs the agent's."""
        port = free_port()
        log_path = self.bench.folder / f"{name}.log"
        env = {**self.bench.env, **self._own(name, port), **self.settings, **settings}
        with log_path.open("wb") as log:
            command = [*under, sys.executable, "-m", "worker.agent.main"]
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=self.bench.folder)
        agent = AgentProcess(name, process, port, log_path)
        try:
            until(lambda: agent.answers(ready), "readiness", _READY_SECONDS)
            yield agent
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def _own(self, name: str, port: int) -> dict[str, str]:
        return {
            "KARGAH_DATABASE_URL": self.database_url,
            "KARGAH_S3_ENDPOINT": self.s3.url,
            "KARGAH_S3_ACCESS_KEY": self.s3.access_key,
            "KARGAH_S3_SECRET_KEY": self.s3.secret_key,
            "KARGAH_S3_BUCKET": self.bucket,
            "KARGAH_REGISTRY_URL": self.bench.peers_url,
            "KARGAH_DATASETS_URL": self.bench.peers_url,
            "KARGAH_DATA_DIR": str(self.bench.folder / name),
            "KARGAH_WORKER_NAME": name,
            "KARGAH_METRICS_PORT": str(port),
            "KARGAH_DESCRIBE_MODULE": "worker.testing.describe",
            "KARGAH_LOG_FORMAT": "json",
            **SCRIPTED,
        }
