"""A private Prometheus that scrapes what a test tells it to, every second."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from kargah.embedded.ports import LOOPBACK, free_port
from kargah.embedded.process import Command, ManagedProcess
from kargah.testing.servers.programs import installed_program

_READY_SECONDS = 30.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Sample:
    """One series of an instant query and its value now."""

    labels: Mapping[str, str]
    value: float


class PrometheusServer:
    """Scrapes `targets` (job name -> URL of its metrics); evaluates `rule_files` if any."""

    def __init__(self, data_dir: Path, targets: Mapping[str, str], rule_files: Sequence[Path] = ()) -> None:
        self._dir = data_dir.resolve() / "prometheus"
        self._targets = targets
        self._rule_files = rule_files
        self._port = free_port()
        self._process: ManagedProcess | None = None

    @property
    def url(self) -> str:
        """Base URL of the server and its HTTP API."""
        return f"http://{LOOPBACK}:{self._port}"

    def start(self) -> Self:
        """Start and return once it is ready. Raises `ProcessFailed` or `MissingServer`."""
        self._dir.mkdir(parents=True, exist_ok=True)
        # JSON is YAML too.
        (self._dir / "prometheus.yml").write_text(json.dumps(self._config()), encoding="utf-8")
        self._process = ManagedProcess(self._command())
        try:
            self._process.wait_ready(self._is_ready, _READY_SECONDS)
        except BaseException:
            self._process.kill()
            raise
        return self

    def stop(self) -> None:
        """Clean stop."""
        if self._process:
            self._process.stop(_STOP_SECONDS)

    def query(self, promql: str) -> list[Sample]:
        """Instant vector of `promql` now. Raises `httpx.HTTPStatusError` when the expression is wrong."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": promql}, timeout=10.0, verify=False)
        answer.raise_for_status()
        data = answer.json()["data"]
        if data["resultType"] == "scalar":
            return [Sample({}, float(data["result"][1]))]
        return [Sample(row["metric"], float(row["value"][1])) for row in data["result"]]

    def wait_for(self, promql: str, timeout: float = 30.0) -> list[Sample]:
        """Query until something matches. Raises `TimeoutError` after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not (samples := self.query(promql)):
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing matched {promql} within {timeout:g} s")
            time.sleep(_POLL_SECONDS)
        return samples

    def _config(self) -> dict[str, Any]:
        return {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(file) for file in self._rule_files],
            "scrape_configs": [_scrape_config(job, url) for job, url in self._targets.items()],
        }

    def _command(self) -> Command:
        return Command(
            name="Prometheus",
            arguments=[
                str(installed_program("prometheus")),
                f"--config.file={self._dir}/prometheus.yml",
                f"--storage.tsdb.path={self._dir}/data",
                f"--web.listen-address={LOOPBACK}:{self._port}",
            ],
            log_file=self._dir / "prometheus.log",
            cwd=self._dir,
            env={"PATH": os.defpath},
        )

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=2.0, verify=False).is_success
        except httpx.TransportError:
            return False

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _scrape_config(job: str, url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "job_name": job,
        "scheme": parts.scheme,
        "metrics_path": parts.path or "/metrics",
        "static_configs": [{"targets": [parts.netloc]}],
    }
