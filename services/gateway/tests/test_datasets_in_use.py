"""A dataset that a job still works on is not deleted; what the dataset service alone knows is passed on to it."""

from __future__ import annotations

from typing import Any


def test_what_a_live_job_works_on_stays_until_the_job_has_ended(stack: Any) -> None:
    job = stack.submit().json()
    answer = stack.http.delete("/api/datasets/parsinlu_rc")
    assert answer.status_code == 409, answer.text
    assert job["id"] in answer.json()["detail"] and "Test Training" in answer.json()["detail"]
    version = job["config"]["dataset"]["version"]
    answer = stack.http.delete(f"/api/datasets/parsinlu_rc?version={version}")
    assert answer.status_code == 409 and f"parsinlu_rc@{version}" in answer.json()["detail"]
    assert stack.peers.seen == []
    for other in (str(version + 1), "x"):  # of a wrong one the dataset service says what is wrong
        assert stack.http.delete(f"/api/datasets/parsinlu_rc?version={other}").status_code == 204
    stack.peers.seen.clear()
    for path in ("other", "uploads/upload-1", "parsinlu_rc/other"):
        assert stack.http.delete(f"/api/datasets/{path}").status_code == 204
    stack.http.post(f"/api/jobs/{job['id']}/cancel").raise_for_status()
    assert stack.http.delete("/api/datasets/parsinlu_rc").status_code == 204
    assert [request["path"] for request in stack.peers.seen] == [
        "/api/datasets/other",
        "/api/datasets/uploads/upload-1",
        "/api/datasets/parsinlu_rc/other",
        "/api/datasets/parsinlu_rc",
    ]
