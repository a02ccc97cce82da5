"""A dataset version's own splits, in place of the trainer's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kargah.contracts.runs import CheckpointMessage, LogMessage
from worker.testing.tiny_models import question_rows, write_rows
from worker.trainer.errors import TrainingError
from worker.trainer.given_splits import GivenSplits
from worker.trainer.rows import RowFile, all_held_out
from worker.trainer.testing import Ran, Runner

NAMES = ["train", "validation", "test"]


def given(folder: Path, places: list[int]) -> GivenSplits:
    rows = RowFile(write_rows(folder / "rows.jsonl", question_rows(6)))
    path = folder / "splits"
    path.write_bytes(bytes(places))
    return GivenSplits(rows, path, NAMES)


def test_validation_is_held_out_and_the_test_is_not_seen(tmp_path: Path) -> None:
    split = given(tmp_path, [0, 1, 2, 0, 2, 0]).for_training()
    assert (split.train.tolist(), split.held_out.tolist()) == ([0, 3, 5], [1])


def test_without_validation_the_test_is_held_out(tmp_path: Path) -> None:
    split = given(tmp_path, [0, 2, 2, 0, 0, 0]).for_training()
    assert (split.train.tolist(), split.held_out.tolist()) == ([0, 3, 4, 5], [1, 2])


def test_the_test_is_what_is_measured(tmp_path: Path) -> None:
    everything = all_held_out(RowFile(write_rows(tmp_path / "rows.jsonl", question_rows(6))))
    assert given(tmp_path, [0, 1, 2, 0, 2, 0]).for_measuring(everything).held_out.tolist() == [2, 4]
    assert given(tmp_path, [0, 1, 0, 0, 0, 0]).for_measuring(everything).held_out.tolist() == [1]
    assert given(tmp_path, [0] * 6).for_measuring(everything).held_out.tolist() == list(range(6))


@pytest.mark.parametrize("places", [[0, 1], [0, 1, 2, 0, 2, 3], []])
def test_splits_of_other_rows_are_refused(tmp_path: Path, places: list[int]) -> None:
    with pytest.raises(TrainingError) as raised:
        given(tmp_path, places)
    assert raised.value.code == "bad_splits"


def _settings(folder: Path, places: list[int]) -> dict[str, Any]:
    path = folder / f"splits-{sum(places)}"
    path.write_bytes(bytes(places))
    return {"splits_path": str(path), "splits_sha256": f"{sum(places):064}", "split_names": NAMES}


def _lines(ran: Ran) -> str:
    return "\n".join(message.message for message in ran.context.sent(LogMessage))


def test_a_run_holds_out_what_the_version_says_and_goes_on_with_the_same(train: Runner, tmp_path: Path) -> None:
    settings = _settings(tmp_path, [2] * 5 + [1] * 3 + [0] * 52)
    params = {"method": "full", "max_steps": 4, "checkpoint_steps": 2, "eval_fraction": 0.5}
    ran = train("sft", params=params, **settings)
    assert ran.status == 0
    assert "52 to train on, 3 held out" in _lines(ran) and "test 5" in _lines(ran)

    first = ran.context.sent(CheckpointMessage)[0].directory
    resumed = train("sft", params=params, resume_dir=first, **settings)
    assert resumed.status == 0 and "Resuming after step 2" in _lines(resumed)
    other = _settings(tmp_path, [2] * 6 + [0] * 54)
    refused = train("sft", params=params, resume_dir=first, **other)
    assert refused.status == 10


def test_rows_without_splits_are_divided_as_ever(train: Runner) -> None:
    ran = train("sft", params={"method": "full", "max_steps": 1})
    assert ran.status == 0 and "brings its splits" not in _lines(ran)
