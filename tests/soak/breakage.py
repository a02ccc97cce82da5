"""The negative controls: each breaks one safeguard of the product, and names the ledger's rows that must tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

AGENT = "worker.agent.main"
BROKEN_AGENT = "tests.soak.broken_worker"
GATEWAY = "gateway.main"
BROKEN_GATEWAY = "tests.soak.broken_gateway"
TRAINER = "worker.trainer.main:run"


@dataclass(frozen=True)
class Breakage:
    """Which entry modules run instead of the product's, and in which rows of the ledger it must show: one at least.

    `mutilates`: whether checkpoints are still mutilated, which would show by itself where verifying is what is broken.
    """

    name: str
    what: str
    rows: tuple[str, ...] = ()
    agent: str = AGENT
    gateway: str = GATEWAY
    trainer: str = TRAINER
    mutilates: bool = True
    agent_share: float | None = None


WHOLE = Breakage("", "the product as it is")

CONTROLS: Mapping[str, Breakage] = {
    control.name: control
    for control in (
        Breakage(
            "without-fence",
            "writes are not compared with the attempt's generation, nor does an agent watch its lease's clock",
            ("stale_writes",),
            agent=BROKEN_AGENT,
        ),
        Breakage(
            "manifest-first",
            "manifest and row come before the files, and nothing is verified on restore",
            ("corrupt_loaded", "jobs_in_error"),
            agent=BROKEN_AGENT,
            mutilates=False,
            agent_share=0.35,
        ),
        Breakage(
            "ack-late",
            "a delivery is held until the attempt ends and is all that starts one; no reconciler",
            ("jobs_lost",),
            agent=BROKEN_AGENT,
            gateway=BROKEN_GATEWAY,
        ),
        Breakage(
            "without-reconciler",
            "nobody takes jobs from dead workers",
            ("jobs_lost",),
            gateway=BROKEN_GATEWAY,
            agent_share=0.3,
        ),
        Breakage(
            "without-verify",
            "a restored checkpoint's files are taken as they come",
            ("corrupt_loaded", "losses_different", "jobs_in_error"),
            agent=BROKEN_AGENT,
        ),
        Breakage(
            "without-rng",
            "a resumed trainer draws other random numbers",
            ("losses_different",),
            trainer="tests.soak.broken_trainer:without_rng",
        ),
        Breakage(
            "skip-a-step",
            "a resumed trainer leaves out one step",
            ("steps_missing",),
            trainer="tests.soak.broken_trainer:skip_a_step",
        ),
        Breakage(
            "repeat-a-step",
            "a resumed trainer does the last step again",
            ("steps_doubled",),
            trainer="tests.soak.broken_trainer:repeat_a_step",
        ),
    )
}


def breakage_named(name: str | None) -> Breakage:
    """Raises KeyError for a control there is not."""
    return WHOLE if name is None else CONTROLS[name]
