"""Distributed mode: gateway, services, worker, RabbitMQ, Postgres and S3 as separate processes."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kargah import Client
from kargah.contracts.jobs import JobView
from kargah.domain.job_state import Status
from kargah.testing.servers.folder import server_folder
from kargah.testing.servers.prometheus import PrometheusServer
from worker.testing.tiny_models import tiny_llama

from .commands import PERSIAN_QA
from .dashboards import ask, questions

CONFIG = {"baseModel": "tiny", "dataset": "persian_qa", "epochs": 1, "batchSize": 8, "learningRate": 0.001}


@pytest.fixture(scope="module")
def client(distributed: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of the gateway, with a small model and the Persian set installed over HTTP."""
    with Client(distributed.url) as client:
        client.models.install_folder(tiny_llama(tmp_path_factory.mktemp("llama")), "tiny")
        client.datasets.upload(PERSIAN_QA, name="persian_qa")
        yield client


@pytest.fixture(scope="module")
def prometheus(distributed: Any) -> Iterator[PrometheusServer]:
    ports = distributed.ports
    targets = {
        "gateway": ports.gateway,
        "dataset-svc": ports.dataset_svc,
        "registry": ports.registry,
        "worker": ports.worker,
        "inference": ports.inference,
    }
    with server_folder() as folder:
        server = PrometheusServer(folder, {job: f"http://127.0.0.1:{port}/metrics" for job, port in targets.items()})
        try:
            yield server.start()
        finally:
            server.stop()


def _until(client: Client, job: JobView, *statuses: Status, seconds: float = 90.0) -> JobView:
    deadline = time.monotonic() + seconds
    while (job := client.jobs.get(job.id)).status not in statuses:
        assert time.monotonic() < deadline, f"still {job.status} after {seconds} s"
        time.sleep(0.1)
    return job


def test_a_job_trains_on_the_worker_and_prometheus_sees_its_loss(client: Client, prometheus: PrometheusServer) -> None:
    job = client.jobs.submit("distributed", CONFIG | {"outputModel": "tiny-tuned", "epochs": 20})
    assert job.status is Status.PENDING
    loss = prometheus.wait_for(f'kargah_job_loss{{job_id="{job.id}"}}', timeout=90.0)
    assert 0.0 < loss[0].value < 20.0
    prometheus.wait_for("count(up == 1) == 5")
    deadline = time.monotonic() + 90
    while (client.jobs.get(job.id).progress.step or 0) < 30:
        assert time.monotonic() < deadline, "30 steps took too long"
        time.sleep(0.1)
    client.jobs.control(job.id, "stop")
    ended = _until(client, job, Status.COMPLETED, Status.ERROR)
    assert ended.status is Status.COMPLETED, client.jobs.logs(job.id)
    losses = [point.value for point in client.jobs.metrics(job.id, name="loss").points]
    assert len(losses) > 5
    assert sum(losses[-5:]) < sum(losses[:5])
    assert client.models.get("tiny-tuned").latest.lineage["job_id"] == job.id


def test_a_job_can_be_followed_through_the_services(client: Client, distributed: Any) -> None:
    """By one request id in their logs, and as one trace: the submission, what it asked of others, the attempt."""
    job = client.jobs.submit("followed", CONFIG | {"max_steps": 10})
    assert _until(client, job, Status.COMPLETED, Status.ERROR).status is Status.COMPLETED
    ours = {"gateway", "registry", "dataset-svc", "worker"}

    deadline = time.monotonic() + 30
    while not (attempts := [span for span in distributed.traces.spans() if span.attributes.get("job_id") == job.id]):
        assert time.monotonic() < deadline, "the attempt's span did not come"
        time.sleep(0.2)
    attempt = attempts[0]
    while {span.service for span in distributed.traces.spans() if span.trace == attempt.trace} != ours:
        assert time.monotonic() < deadline, [span for span in distributed.traces.spans() if span.trace == attempt.trace]
        time.sleep(0.2)
    trace = {span.id: span for span in distributed.traces.spans() if span.trace == attempt.trace}
    submission = trace[attempt.parent]
    assert (submission.service, submission.name, submission.parent) == ("gateway", "POST /api/train/jobs", "")
    assert {"prepare", "run", "publish"} <= {span.name for span in trace.values() if span.parent == attempt.id}
    assert any(span.service == "gateway" and "db.statement" in span.attributes for span in trace.values())

    claimed = next(each for each in _log_of(distributed, "worker") if each.get("job_id") == job.id)
    assert (claimed["event"], claimed["attempt"], claimed["trace_id"]) == ("job claimed", 1, attempt.trace)
    for service in ours:
        records = [each for each in _log_of(distributed, service) if each.get("request_id") == claimed["request_id"]]
        assert attempt.trace in {each["trace_id"] for each in records}, service


def test_the_services_count_their_requests(client: Client, prometheus: PrometheusServer) -> None:
    client.jobs.list()
    rows = prometheus.wait_for('kargah_http_requests_total{service="gateway",route="/api/jobs",status="200"}')
    assert rows[0].value >= 1


def test_a_killed_worker_is_replaced_and_the_job_goes_on(client: Client, distributed: Any) -> None:
    job = client.jobs.submit("survivor", CONFIG | {"epochs": 30, "checkpoint_steps": 5})
    deadline = time.monotonic() + 90
    while not client.jobs.checkpoints(job.id).items:
        assert time.monotonic() < deadline, "no checkpoint was committed"
        time.sleep(0.1)
    os.kill(distributed.group.pid("worker"), signal.SIGKILL)
    before = client.jobs.checkpoints(job.id).items[0]
    _revive(distributed)
    deadline = time.monotonic() + 60
    while (resumed := client.jobs.get(job.id)).attempt < 2 or resumed.status is not Status.TRAINING:
        assert time.monotonic() < deadline, f"attempt {resumed.attempt} is {resumed.status}"
        time.sleep(0.1)
    client.jobs.control(job.id, "stop")
    ended = _until(client, job, Status.COMPLETED, Status.ERROR)
    assert ended.status is Status.COMPLETED
    steps = [point.step for point in client.jobs.metrics(job.id, name="loss").points]
    assert steps == list(range(1, steps[-1] + 1)), "a step is missing or doubled"
    assert steps[-1] > before.step


def test_every_panel_has_something_to_show(client: Client, distributed: Any, prometheus: PrometheusServer) -> None:
    job = client.jobs.submit("on the dashboards", CONFIG | {"epochs": 60, "checkpoint_steps": 5})
    prometheus.wait_for(f'kargah_job_checkpoint_bytes{{job_id="{job.id}"}}', timeout=90.0)
    prometheus.wait_for("sum(kargah_job_memory_bytes) > 0")
    chosen = {"job": job.id, "service": ".*"}
    deadline = time.monotonic() + 60
    has_gpus = prometheus.query("sum(kargah_gpus) > 0") != []
    asked = [question for question in questions() if has_gpus or "kargah_gpu_" not in question.query]
    while empty := [
        question for question in asked if not ask(question, prometheus, distributed.dsn_of("gateway"), chosen)
    ]:
        assert time.monotonic() < deadline, empty
        time.sleep(1)
    client.jobs.control(job.id, "cancel")


@pytest.mark.campaign
def test_a_broker_restart_delays_but_loses_nothing(client: Client, distributed: Any) -> None:
    distributed.rabbitmq.kill()
    job = client.jobs.submit("while the broker is away", CONFIG | {"max_steps": 10})
    assert job.status is Status.PENDING
    distributed.rabbitmq.start()
    assert _until(client, job, Status.COMPLETED, Status.ERROR).status is Status.COMPLETED


def test_cancel_ends_a_running_job(client: Client) -> None:
    job = client.jobs.submit("to be cancelled", CONFIG | {"epochs": 90})
    _until(client, job, Status.TRAINING)
    assert client.jobs.control(job.id, "cancel").status is Status.CANCELLED
    assert client.jobs.get(job.id).finished_at is not None


def _log_of(distributed: Any, service: str) -> list[dict[str, Any]]:
    lines = Path(distributed.folder, "logs", f"{service}.log").read_text(errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _revive(distributed: Any) -> None:
    deadline = time.monotonic() + 10
    while "worker" not in distributed.group.revive():
        assert time.monotonic() < deadline, "the killed worker still runs"
        time.sleep(0.05)


def test_the_services_behind_the_gateway_logged_no_failure(distributed: Any) -> None:
    """Gateway and worker tell of the broker's absence; nobody else had a reason to."""
    logs = {path.stem: path.read_text(errors="replace") for path in Path(distributed.folder / "logs").iterdir()}
    quiet = {"dataset-svc", "registry", "inference", "migrate"}
    assert quiet <= set(logs)
    assert {name for name in quiet if "Traceback" in logs[name]} == set()
