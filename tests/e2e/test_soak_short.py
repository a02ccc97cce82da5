"""The soak campaign in its short form: nothing is lost, and what is broken on purpose is caught."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from tests.soak import campaign, controls
from tests.soak.breakage import CONTROLS
from tests.soak.options import Options


@pytest.mark.timeout(300)
def test_half_a_minute_of_attacks_loses_nothing(tmp_path: Path) -> None:
    options = Options(seconds=25, kills=16, workers=3, gateways=1, configs=3, steps=80, json=tmp_path / "ledger.json")
    outcome = campaign.run(options, Console(quiet=True))
    ledger, faults = outcome.ledger, outcome.faults
    assert ledger.zeros == dict.fromkeys(ledger.zeros, 0), ledger.findings
    assert faults["kill trainer"][0] + faults["kill agent"][0] >= 8, "hardly anything was killed"
    assert faults["restart Postgres"][0] == faults["restart broker"][0] == 1
    assert faults["zombie"][0] >= 1
    assert faults["mutilate checkpoint"][0] >= 1
    assert ledger.facts["jobs done"] == ledger.facts["jobs submitted"] > 5
    assert ledger.facts["resumes from a checkpoint"] >= 3, "nothing was put to the test"


@pytest.mark.timeout(300)
def test_a_trainer_that_resumes_wrongly_is_caught(tmp_path: Path) -> None:
    control = CONTROLS["repeat-a-step"]
    base = Options(workers=2, json=tmp_path / "ledger.json")
    ledger = campaign.run(
        controls.shortened(base, control, seconds=12, kills=10, configs=1), Console(quiet=True)
    ).ledger
    assert not ledger.clean
    assert controls.caught(ledger, control), ledger.findings
