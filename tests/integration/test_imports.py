"""Imports by the agent and the process that users get: from a URL, from an S3 store, and what is refused."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kargah.adapters.minio_store import MinioStore
from kargah.contracts.jobs import JobConfig, JobView
from kargah.domain.job_state import Status
from kargah.embedded.object_store import EmbeddedObjectStore
from kargah.jobstore import control_repository
from worker.agent.config import ImportStore
from worker.agent.import_sources import ImportSources
from worker.testing.agent_bench import AgentBench, agent_bench
from worker.testing.file_server import FileServer, serving_files
from worker.testing.processes import poll
from worker.zygote.entry import TRAINER

DATA = b"".join(b'{"question":"%d","answer":"x"}\n' % number for number in range(100_000))
_ENDS = {Status.COMPLETED, Status.ERROR, Status.CANCELLED}
_LONG_SECONDS = 120.0


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving_files({"/rows.jsonl": DATA}) as served:
        yield served


@pytest.fixture
def bench(database_url_for: Callable[[str], str], object_store: MinioStore, tmp_path: Path) -> Iterator[AgentBench]:
    """With the process that users get, started cold; it may fetch from this machine's address alone."""
    env = {**os.environ, "KARGAH_IMPORT_HOSTS": json.dumps(["127.0.0.1"])}
    with agent_bench(database_url_for("gateway"), object_store, tmp_path, env) as bench:
        bench.zygote, bench.entry = None, TRAINER
        yield bench


def queue(bench: AgentBench, name: str, **params: str) -> str:
    return bench.submit_config("import", JobConfig(recipe="import", output_dataset=name, params=dict(params)))


def ended(bench: AgentBench, job_id: str) -> JobView:
    def look() -> JobView | None:
        job = bench.get(job_id)
        return job if job.status in _ENDS else None

    return poll(look, "the end", _LONG_SECONDS)


def stores(server: EmbeddedObjectStore, bucket: str) -> ImportSources:
    keys = {"access_key": server.access_key, "secret_key": server.secret_key}
    return ImportSources({"archive": ImportStore(endpoint=server.url, bucket=bucket, **keys)})


def test_files_from_elsewhere_become_datasets(
    bench: AgentBench, server: FileServer, object_store_server: EmbeddedObjectStore, object_store: MinioStore
) -> None:
    server.cuts = [1_000_000]
    object_store.put("import/rows.jsonl", DATA)
    good = [
        queue(bench, "from-url", source=f"{server.url}/rows.jsonl?token=1", url="http://127.0.0.1:9/not-this"),
        queue(bench, "from-store", source="s3://archive/import/rows.jsonl"),
    ]
    bad = {
        queue(bench, "bad", source="s3://elsewhere/x", url=f"{server.url}/rows.jsonl"): "unknown_store",
        queue(bench, "bad", source="http://localhost/rows.jsonl"): "host_not_allowed",
        queue(bench, "bad", source="hf:not-a-repository"): "bad_source",
    }
    with bench.agent(sources=stores(object_store_server, object_store.bucket)):
        for job_id in good:
            job = ended(bench, job_id)
            assert job.status is Status.COMPLETED, job.error
            assert job.result is not None and job.result["rows"] == 100_000
        errors = {job_id: ended(bench, job_id).error for job_id in bad}
    assert {job_id: error.code for job_id, error in errors.items() if error is not None} == bad
    assert sorted(version.dataset for version in bench.peers.imported) == ["from-store", "from-url"]
    assert [asked for _, _, asked in server.asked] == [None, "bytes=1000000-"]


def test_an_import_that_is_cancelled_makes_nothing(bench: AgentBench, server: FileServer) -> None:
    server.statuses = [503] * 1000
    job_id = queue(bench, "never", source=f"{server.url}/rows.jsonl")
    with bench.agent():
        poll(lambda: server.asked or None, "the first request", _LONG_SECONDS)
        bench.jobs.do(control_repository.cancel, job_id)
        assert ended(bench, job_id).status is Status.CANCELLED
    assert bench.peers.imported == []
