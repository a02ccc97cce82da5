"""Which faults happen when: drawn from the seed alone, so that a campaign can be played again."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.soak.options import Options

MUTILATIONS = ("flip", "truncate", "delete", "swap", "tear_manifest", "other_manifest", "empty")
_S3_MODES = ("503", "500", "stall", "reset")


@dataclass(frozen=True)
class Fault:
    """`at` seconds after the faults began. `pick`, 0 to 1, chooses the victim among those there are then; `detail`
    is the kind's own. Faults of one `lane` are done one after the other, lanes beside each other."""

    lane: str
    kind: str
    at: float
    pick: float
    detail: dict[str, Any] = field(default_factory=dict)


def counts(options: Options) -> dict[str, int]:
    """How many of each fault: in proportion to the kills, at least one."""
    kills = options.kills
    agents = round(kills * options.agent_share)

    def share(part: int) -> int:
        return max(1, round(kills / part)) if kills else 0

    return {
        "kill trainer": kills - agents,
        "kill agent": agents,
        "mutilate checkpoint": share(5),
        "zombie": share(10),
        "partition": share(25),
        "cut AMQP": share(5),
        "purge queue": share(50),
        "restart broker": share(50),
        "restart Postgres": share(50),
        "S3 fails": share(25),
    }


def plan(options: Options) -> list[Fault]:
    """All faults by time."""
    rng = random.Random(options.seed)
    wanted = counts(options)
    faults = _kills(rng, options.seconds, wanted)
    for kind in ("zombie", "partition", "cut AMQP", "purge queue", "restart broker", "restart Postgres", "S3 fails"):
        faults += [_fault(rng, kind, at) for at in _instants(rng, wanted[kind], options.seconds)]
    return sorted(faults, key=lambda fault: fault.at)


def _kills(rng: random.Random, seconds: float, wanted: dict[str, int]) -> list[Fault]:
    """Some kills first mutilate the newest checkpoint of their victim, for the next attempt to find."""
    kinds = ["kill trainer"] * wanted["kill trainer"] + ["kill agent"] * wanted["kill agent"]
    rng.shuffle(kinds)
    hurt = set(rng.sample(range(len(kinds)), min(len(kinds), wanted["mutilate checkpoint"])))
    faults = []
    for number, at in enumerate(_instants(rng, len(kinds), seconds)):
        detail = {"how": rng.choice(MUTILATIONS), "both": rng.random() < 0.2} if number in hurt else {}
        faults.append(Fault("kills", kinds[number], at, rng.random(), detail))
    return faults


def _instants(rng: random.Random, count: int, seconds: float) -> list[float]:
    """One in each of `count` equal stretches, somewhere in it: spread out, yet at no fixed beat."""
    return [round((number + rng.random()) * seconds / count, 3) for number in range(count)]


def _fault(rng: random.Random, kind: str, at: float) -> Fault:
    lane = "kills"
    detail: dict[str, Any] = {}
    match kind:
        case "zombie":
            lane = "zombies"
            detail = {"longer": rng.uniform(0, 1.5), "trainer_first": rng.random() < 0.5, "both": rng.random() < 0.8}
        case "partition":
            lane, detail = "partitions", {"longer": rng.uniform(0, 2)}
        case "cut AMQP":
            lane, detail = "amqp", {"refuse_seconds": rng.choice([0.0, 0.0, rng.uniform(0.1, 1.5)])}
        case "purge queue":
            lane = "broker"
        case "restart broker":
            lane, detail = "broker", {"how": rng.choice(["kill", "stop"]), "away_seconds": rng.uniform(0, 2)}
        case "restart Postgres":
            lane, detail = "postgres", {"how": rng.choice(["kill", "immediate"]), "away_seconds": rng.uniform(0, 1)}
        case "S3 fails":
            lane, detail = "s3", {"mode": rng.choice(_S3_MODES), "seconds": rng.uniform(0.5, 4)}
    return Fault(lane, kind, at, rng.random(), detail)
