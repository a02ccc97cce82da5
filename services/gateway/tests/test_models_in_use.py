"""A model that a job still works on is not deleted, by whatever name it is called."""

from __future__ import annotations

from typing import Any


def test_what_a_live_job_works_on_stays(stack: Any) -> None:
    job = stack.submit().json()
    for path in ("bert_fa_base", "bert_fa_base?version=1", "bert_fa_base?version=production"):
        answer = stack.http.delete(f"/api/models/{path}")
        assert answer.status_code == 409, answer.text
        assert job["id"] in answer.json()["detail"] and "Test Training" in answer.json()["detail"]
    assert stack.peers.seen == []
    stack.http.post(f"/api/jobs/{job['id']}/cancel").raise_for_status()
    assert stack.http.delete("/api/models/bert_fa_base").status_code == 204
    assert stack.peers.seen == [{"path": "/api/models/bert_fa_base"}]


def test_what_no_job_works_on_goes(stack: Any) -> None:
    stack.submit()
    for path in ("smollm2", "bert_fa_base/aliases/production", "smollm2?version=1", "smollm2?version=0"):
        assert stack.http.delete(f"/api/models/{path}").status_code == 204
    assert [request["path"] for request in stack.peers.seen] == [
        "/api/models/smollm2",
        "/api/models/bert_fa_base/aliases/production",
        "/api/models/smollm2?version=1",
        "/api/models/smollm2?version=0",
    ]


def test_the_hubs_protocol_is_no_way_around(stack: Any) -> None:
    job = stack.submit().json()
    delete = {"name": "bert_fa_base", "organization": None, "type": "model"}
    move = {"fromRepo": "bert_fa_base", "toRepo": "lab/other", "type": "model"}
    for method, path, body in (("DELETE", "delete", delete), ("POST", "move", move)):
        answer = stack.http.request(method, f"/hub/api/repos/{path}", json=body)
        assert answer.status_code == 409 and job["id"] in answer.headers["x-error-message"], answer.text
        assert answer.json()["error"] == answer.headers["x-error-message"]
    for body in ({**delete, "type": "dataset"}, {"name": "smollm2"}, {"name": 7}, ["bert_fa_base"]):
        passed_on = stack.http.request("DELETE", "/hub/api/repos/delete", json=body)
        assert passed_on.status_code == 404, "the stand-in for the registry knows no such address"
