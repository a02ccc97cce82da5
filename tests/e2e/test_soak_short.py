"""The soak campaign in its short form: nothing is lost, and what is broken on purpose is caught."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.soak import campaign, controls
from tests.soak.breakage import CONTROLS
from tests.soak.options import Options
from tests.soak.progress import Ticker
from tests.soak.reference import Reference
from tests.soak.servers import Servers, running_servers

pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Ground:
    """Servers with everything installed, and what the trainings give when they are left alone."""

    servers: Servers
    truth: Mapping[str, Reference]
    options: Options

    def attack(self, options: Options) -> campaign.Outcome:
        console = Console(quiet=True)
        with Ticker(console, options) as ticker:
            return campaign.attack(self.servers, self.truth, options, ticker, console)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    ledger = tmp_path_factory.mktemp("soak") / "ledger.json"
    options = Options(seconds=25, kills=16, workers=3, gateways=1, configs=2, steps=80, json=ledger)
    with Ticker(Console(quiet=True), options) as ticker, running_servers(options) as servers:
        yield Ground(servers, campaign.undisturbed(servers, options, ticker), options)


def test_half_a_minute_of_attacks_loses_nothing(ground: Ground) -> None:
    outcome = ground.attack(ground.options)
    ledger, faults = outcome.ledger, outcome.faults
    assert ledger.zeros == dict.fromkeys(ledger.zeros, 0), ledger.findings
    assert faults["kill trainer"][0] + faults["kill agent"][0] >= 6, "hardly anything was killed"
    assert faults["restart Postgres"][0] == faults["restart broker"][0] == 1
    assert faults["mutilate checkpoint"][0] >= 1
    assert ledger.facts["jobs done"] == ledger.facts["jobs submitted"] > 3
    assert ledger.facts["resumes from a checkpoint"] >= 2, "nothing was put to the test"


def test_a_trainer_that_resumes_wrongly_is_caught(ground: Ground, tmp_path: Path) -> None:
    options = replace(ground.options, json=tmp_path / "ledger.json")
    control = CONTROLS["repeat-a-step"]
    ledger = ground.attack(controls.shortened(options, control, seconds=12, kills=10, configs=2)).ledger
    assert not ledger.clean
    assert controls.caught(ledger, control), ledger.findings
