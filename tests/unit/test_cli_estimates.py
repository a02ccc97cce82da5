"""What `kargah train --estimate` says."""

from __future__ import annotations

from typing import Any

from kargah.cli.estimates import lines
from kargah.contracts.estimates import TrainEstimate

_PART = {"least": 10**9, "most": 2 * 10**9}
_MEMORY: dict[str, Any] = {name: _PART for name in ("weights", "gradients", "moments", "activations", "program")}
_FIT = {
    "worker": "w", "device": "cpu", "memoryBytes": 16 * 10**9, "processes": 1, "verdict": "tight",
    "memory": {**_MEMORY, "total": _PART, "required": 1, "tokensAtATime": 9},
}  # fmt: skip
_FORMER = {"jobId": "j", "name": "n", "worker": None, "tokensPerSecond": 9.0, "memoryBytes": None}


def _told(**fields: Any) -> dict[str, str]:
    given = {
        "recipe": "sft", "parameters": None, "trainedParameters": None, "trainRows": 1000, "stepsPerEpoch": 125,
        "steps": 375, "tokens": None, "trainedTokens": None, "fits": [], "noMemory": "unknown_size", "former": [],
        "time": None, "noTime": "no_counts",
    }  # fmt: skip
    return dict(lines(TrainEstimate.model_validate(given | fields)))


def test_what_nothing_tells_is_said_to_be_unknown() -> None:
    told = _told()
    assert told["steps"] == "375 (125 an epoch, of 1,000 rows)"
    assert told["memory"] == "unknown: the base model does not tell how many parameters it has"
    assert told["time"] == "unknown: no token was counted" and "tokens" not in told


def test_what_is_known_is_told_with_where_from() -> None:
    time = {"least": 60.0, "most": 120.0}
    told = _told(tokens=2000, trainedTokens=500, fits=[_FIT], noMemory=None, former=[_FORMER], time=time, noTime=None)
    assert told["tokens"] == "2,000 (500 of them learnt)"
    assert told["memory"].endswith("on w: tight: batches may be divided, of 16.0 GB")
    assert told["time"].endswith("at the speed of 1 former training")
