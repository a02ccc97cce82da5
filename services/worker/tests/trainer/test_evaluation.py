"""An evaluation tells how far it is, and several processes hear in between what the agent asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from torch._C._distributed_c10d import FileStore

from kargah.contracts.runs import LogMessage, ProgressMessage, RunSpec
from worker.trainer import evaluation
from worker.trainer.context import Action
from worker.trainer.errors import Interruption
from worker.trainer.evaluation_count import EvaluationCount
from worker.trainer.items import Item
from worker.trainer.pulse import Pulse
from worker.trainer.ranks.context import RankContext
from worker.trainer.ranks.team import Team, _Call
from worker.trainer.testing import MemoryContext, Runner
from worker.trainer.token_store import TokenStore


class Store:
    """Items of 10 tokens."""

    def get(self, numbers: Sequence[int]) -> list[Item]:
        return [Item(np.zeros(10, np.int32), np.zeros(10, np.bool_)) for _ in numbers]


def test_ranks_of_a_divided_model_meet_after_about_a_pass_of_each() -> None:
    store = cast(TokenStore, Store())
    assert len(evaluation._chunk(range(512), store, budget=100, ranks=2)) == 20
    assert len(evaluation._chunk(range(512), store, budget=1, ranks=2)) == 2, "each has one at least"


def test_a_training_tells_how_many_rows_are_measured(train: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.trainer.pulse._PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr("worker.trainer.evaluation_count._LOG_SECONDS", 0.0)
    params = {"method": "full", "eval_fraction": 0.2, "epochs": 1, "max_tokens_per_batch": 64, "sample_prompts": 1}
    ran = train("sft", params=params)
    told = [each for each in ran.context.sent(ProgressMessage) if each.to_evaluate is not None]
    (total,) = {each.to_evaluate for each in told}
    assert {each.note for each in told} == {"evaluating"}
    done = [each.evaluated or 0 for each in told if each.step == 0]
    assert done[0] == 0 and done[-1] == total and done == sorted(done) and len(set(done)) > 3
    lines = [each.message for each in ran.context.sent(LogMessage)]
    assert any(line.startswith("Measured ") and line.endswith(f" of {total} rows") for line in lines)
    assert lines.count("Answering 1 sample") == 2 and lines[-1] == "Writing the model"


def test_the_estimate_begins_with_the_first_row() -> None:
    count = EvaluationCount(lambda line: None)
    count.begin(4)
    assert count.seconds_left is None
    count.advance(4)
    assert count.seconds_left == 0


@pytest.fixture
def call(tmp_path: Path) -> _Call:
    return _Call(FileStore(str(tmp_path / "rendezvous"), 2))


def _rank(number: int, call: _Call) -> tuple[Team, RankContext, MemoryContext, Pulse]:
    spec: Any = {"job_id": "j", "generation": 1, "recipe": "r", "params": {}, "work_dir": "/", "cache_dir": "/"}
    inner = MemoryContext(RunSpec(**spec, devices=2))
    context = RankContext(inner, number, lambda error: error)
    team, pulse = Team(context), Pulse(context, lambda: ProgressMessage(percent=0))
    team._call, pulse.interruptible = call, True
    return team, context, inner, pulse


def _work(team: Team, pulse: Pulse, *, whole: bool = True) -> bool:
    """Whether it was done to its end."""
    done = False
    with team.apart(whole=whole):
        pulse.listen()
        done = True
    return done


def test_ranks_leave_what_they_do_apart_when_the_agent_asks_for_an_end(call: _Call) -> None:
    team, context, inner, pulse = _rank(0, call)
    other, _, _, pulse_of_other = _rank(1, call)
    inner.controls.append("stop")
    assert _work(team, pulse) and _work(other, pulse_of_other), "a stop keeps the figures"
    inner.controls.append("pause")
    pulse.listen()
    assert _work(other, pulse_of_other), "rank 0 has not listened apart yet"
    assert _work(team, pulse, whole=False), "of a divided model all must go on together"
    assert not _work(team, pulse) and not _work(other, pulse_of_other)
    assert context.ending() is None and context.heard() == ["stop", "pause"], "nothing is agreed yet"
    agreed: list[Action] = ["pause"]
    context.agree(agreed)
    with pytest.raises(Interruption):
        pulse.listen()
    assert context.heard() == []
