"""What jobs are called that nobody named. The Studio knows such names, to say them in the language of its pages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_CASES = Path(__file__).parents[2] / "studio/src/lib/jobTitles.cases.json"


@pytest.mark.parametrize("case", json.loads(_CASES.read_text(encoding="utf-8")), ids=lambda case: case["job"]["name"])
def test_a_job_is_called_as_the_studio_expects(stack: Any, case: dict[str, Any]) -> None:
    answer = stack.http.post(case["path"], json=case["body"])
    assert answer.status_code == 201, answer.text
    job, expected = answer.json(), case["job"]
    assert (job["kind"], job["name"]) == (expected["kind"], expected["name"])
    config, told = job["config"], case["told"]
    assert expected.get("config", {}).items() <= {**config, "params": dict(config["params"])}.items()
    assert config["submitted"].items() >= {key: value for key, value in case["body"].items() if value}.items()
    if told and "model" in told and config["baseModel"] is not None:
        assert config["baseModel"]["name"] == told["model"]
