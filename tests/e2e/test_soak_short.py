"""The soak campaign in its short form: nothing is lost, and what is broken on purpose is caught."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.soak import campaign, controls
from tests.soak.breakage import CONTROLS, WHOLE
from tests.soak.options import Options
from tests.soak.progress import Ticker
from tests.soak.reference import Reference
from tests.soak.servers import Servers, running_servers
from tests.soak.stack import Stack, running_services

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Ground:
    """Servers with everything installed, and what the trainings give when they are left alone: by services that still
    run as `whole` until `services` is closed."""

    servers: Servers
    truth: Mapping[str, Reference]
    options: Options
    whole: Stack
    services: ExitStack


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    ledger = tmp_path_factory.mktemp("soak") / "ledger.json"
    options = Options(seconds=25, kills=16, workers=3, gateways=1, configs=2, steps=80, json=ledger)
    with ticking(options) as ticker, running_servers(options) as servers, ExitStack() as services:
        whole = services.enter_context(running_services(servers, options, WHOLE))
        yield Ground(servers, campaign.left_alone(whole, options, ticker), options, whole, services)


def ticking(options: Options) -> Ticker:
    return Ticker(Console(quiet=True), options)


def test_half_a_minute_of_attacks_loses_nothing(ground: Ground) -> None:
    with ground.services, ticking(ground.options) as ticker:
        outcome = campaign.attack_running(ground.whole, ground.truth, ground.options, ticker, Console(quiet=True))
    ledger, faults = outcome.ledger, outcome.faults
    assert ledger.zeros == dict.fromkeys(ledger.zeros, 0), ledger.findings
    assert faults["kill trainer"][0] + faults["kill agent"][0] >= 6, "hardly anything was killed"
    assert faults["restart Postgres"][0] == faults["restart broker"][0] == 1
    assert faults["mutilate checkpoint"][0] >= 1
    assert ledger.facts["jobs done"] == ledger.facts["jobs submitted"] > 3
    assert ledger.facts["resumes from a checkpoint"] >= 2, "nothing was put to the test"


def test_a_trainer_that_resumes_wrongly_is_caught(ground: Ground, tmp_path: Path) -> None:
    ground.services.close()
    control = CONTROLS["repeat-a-step"]
    base = replace(ground.options, json=tmp_path / "ledger.json", agent_share=0.0)
    for seed in (1, 2):  # in so short a campaign, on a slow machine, all victims may have died before a checkpoint
        options = controls.shortened(replace(base, seed=seed), control, seconds=12, kills=10, configs=2)
        with ticking(options) as ticker:
            ledger = campaign.attack(ground.servers, ground.truth, options, ticker, Console(quiet=True)).ledger
        if not ledger.clean:
            break
    assert not ledger.clean
    assert controls.caught(ledger, control), ledger.findings
