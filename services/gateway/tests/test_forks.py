"""Jobs made out of jobs: resumed from a chosen checkpoint, restarted, extended."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.jobs.forks import sequel
from kargah.cli.main import app
from kargah.jobstore import attempt_repository as attempts
from kargah.jobstore import control_repository
from kargah.jobstore.values import Batch, NewCheckpoint

_CONFIG = {"baseModel": "bert_fa_base", "dataset": "parsinlu_rc", "outputModel": "m", "epochs": 2, "maxSteps": 30}


def _trained(stack: Any, *steps: int, **config: Any) -> tuple[str, list[str]]:
    """A job under way with checkpoints at `steps`; its id and theirs."""
    job_id = stack.http.post("/api/train/jobs", json={"name": "first", "config": {**_CONFIG, **config}}).json()["id"]
    claim = stack.bench.claim()
    assert claim.job_id == job_id
    stack.bench.do(attempts.record, job_id, 1, Batch(progress={"total_steps": 30, "epochs": 1.5}))
    saved = [NewCheckpoint(step, step / 20, 1, "interval", f"jobs/{job_id}/{step}/") for step in steps]
    return job_id, [stack.bench.do(attempts.commit_checkpoint, job_id, 1, one) for one in saved]


def _finish(stack: Any, job_id: str) -> None:
    stack.bench.do(attempts.finish, job_id, 1, {"model": "m"})


def test_a_paused_job_goes_on_from_a_chosen_checkpoint(stack: Any) -> None:
    job_id, (first, _) = _trained(stack, 10, 20)
    stack.bench.do(control_repository.request_pause, job_id)
    stack.bench.do(attempts.paused, job_id, 1)
    answer = stack.http.post(f"/api/jobs/{job_id}/resume", json={"checkpoint": first})
    assert answer.status_code == 200 and answer.json()["status"] == "pending"
    left = stack.http.get(f"/api/jobs/{job_id}/checkpoints").json()["items"]
    assert [one["id"] for one in left] == [first]


def test_an_unknown_checkpoint_is_a_field_error(stack: Any) -> None:
    job_id, _ = _trained(stack, 10)
    _finish(stack, job_id)
    refused = stack.http.post(f"/api/jobs/{job_id}/restart", json={"checkpoint": "ckpt_none"})
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "checkpoint"
    both = stack.http.post(f"/api/jobs/{job_id}/restart", json={"checkpoint": "ckpt_none", "fromScratch": True})
    assert both.status_code == 422 and "fromScratch" in both.json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("ending", "request_body", "step"),
    [
        ("cancel", {}, 20),
        ("cancel", {"fromScratch": True}, None),
        ("finish", {}, None),
        ("cancel", {"checkpoint": 0}, 10),
    ],
)
def test_a_job_restarts_as_a_new_one(stack: Any, ending: str, request_body: dict[str, Any], step: int | None) -> None:
    job_id, ids = _trained(stack, 10, 20)
    if ending == "cancel":
        stack.bench.do(control_repository.cancel, job_id)
    else:
        _finish(stack, job_id)
    body = {key: ids[value] if key == "checkpoint" else value for key, value in request_body.items()}
    answer = stack.http.post(f"/api/train/jobs/{job_id}/restart", json=body)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert job["id"] != job_id and answer.headers["location"] == f"/api/train/jobs/{job['id']}"
    start = job["config"]["start"]
    assert (start and start["step"]) == step and (start is None or start["jobId"] == job_id)
    pinned = {one["step"] for one in stack.http.get(f"/api/jobs/{job_id}/checkpoints").json()["items"] if one["pinned"]}
    assert pinned == ({step} if step else set())


def test_a_completed_job_is_extended(stack: Any) -> None:
    job_id, _ = _trained(stack, 10, 30)
    early = stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 1})
    assert early.status_code == 409
    _finish(stack, job_id)
    headers = {"Idempotency-Key": "once"}
    answer = stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 1}, headers=headers)
    assert answer.status_code == 201, answer.text
    config = answer.json()["config"]
    assert config["start"]["step"] == 30
    assert (config["params"]["epochs"], config["params"]["max_steps"]) == (3, 50)  # 20 steps an epoch
    again = stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 1}, headers=headers)
    assert again.status_code == 200 and again.json()["id"] == answer.json()["id"]


@pytest.mark.parametrize(
    ("steps", "longer"),
    [(10, (2, 40)), (11, (3, 41))],  # 20 steps an epoch: what does not fit into two goes on in a third
)
def test_a_completed_job_is_extended_by_steps(stack: Any, steps: int, longer: tuple[int, int]) -> None:
    job_id, _ = _trained(stack, 30)
    _finish(stack, job_id)
    done = CliRunner().invoke(app, ["--url", stack.url, "extend", job_id, "--steps", str(steps), "--json"])
    params = json.loads(done.stdout)["config"]["params"]
    assert (params["epochs"], params["max_steps"]) == longer


def test_an_extension_has_a_name_of_its_own(stack: Any) -> None:
    job_id, _ = _trained(stack, 30)
    _finish(stack, job_id)
    names = [
        stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 1, **named}).json()["name"]
        for named in ({}, {"name": "mine"})
    ]
    assert names == ["first (2)", "mine"]
    assert [sequel("first (2)"), sequel("(2)"), sequel("x" * 200)] == ["first (3)", "(2) (2)", "x" * 196 + " (2)"]


_NOT_SO_MANY_EPOCHS = [{}, {"epochs": 0}, {"epochs": 101}, {"epochs": True}, {"epochs": 99}]
_NOT_SO_MANY_STEPS = [{"steps": 0}, {"steps": 9971}, {"steps": 2000}, {"epochs": 1, "steps": 1}]


@pytest.mark.parametrize("body", [*_NOT_SO_MANY_EPOCHS, *_NOT_SO_MANY_STEPS])
def test_what_cannot_be_extended_is_refused_by_field(stack: Any, body: dict[str, Any]) -> None:
    job_id, _ = _trained(stack, 30)
    _finish(stack, job_id)
    refused = stack.http.post(f"/api/jobs/{job_id}/extend", json=body)
    wrong = "steps" if "steps" in body else "epochs"
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == wrong


def test_wider_ranges_hold_for_more_of_a_job_that_had_them(stack: Any) -> None:
    job_id, _ = _trained(stack, 30, advanced=True)
    _finish(stack, job_id)
    too_many = stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 9_999})
    assert "from 1 to 10000" in too_many.json()["errors"][0]["message"]
    assert stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 200}).status_code == 201


def test_a_job_without_checkpoints_cannot_be_extended(stack: Any) -> None:
    job_id, _ = _trained(stack)
    _finish(stack, job_id)
    refused = stack.http.post(f"/api/jobs/{job_id}/extend", json={"epochs": 1})
    assert refused.status_code == 409 and "no checkpoint" in refused.json()["detail"]


def test_checkpoints_are_pinned_and_priorities_changed(stack: Any) -> None:
    job_id, (checkpoint,) = _trained(stack, 10)
    path = f"/api/jobs/{job_id}/checkpoints/{checkpoint}"
    assert stack.http.patch(path, json={"pinned": True}).json()["pinned"] is True
    assert stack.http.patch(path, json={"pinned": "yes"}).status_code == 422
    assert stack.http.patch(f"/api/jobs/{job_id}/checkpoints/other", json={"pinned": True}).status_code == 404
    assert stack.http.patch(f"/api/train/jobs/{job_id}", json={"priority": 7}).json()["priority"] == 7
    assert stack.http.patch(f"/api/jobs/{job_id}", json={"priority": 101}).status_code == 422


def test_an_install_has_no_training_controls(stack: Any) -> None:
    job_id = stack.bench.submit(kind="install")
    stack.bench.claim(kind="install")
    job = stack.http.get(f"/api/jobs/{job_id}").json()
    assert job["controls"] == ["pause", "cancel"]
    assert stack.http.post(f"/api/jobs/{job_id}/stop").status_code == 409


def test_a_new_job_belongs_to_whom_the_old_one_did(stack: Any) -> None:
    body = {"name": "theirs", "config": _CONFIG, "owner": "sara", "priority": 3}
    job_id = stack.http.post("/api/train/jobs", json=body).json()["id"]
    stack.bench.do(control_repository.cancel, job_id)
    job = stack.http.post(f"/api/jobs/{job_id}/restart").json()
    assert (job["owner"], job["priority"]) == ("sara", 3)
    assert stack.http.post("/api/train/jobs", json={**body, "owner": "no spaces"}).status_code == 422
