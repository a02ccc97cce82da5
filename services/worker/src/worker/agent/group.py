"""A worker that consists of several machines, as its agent sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

from kargah.contracts.runs import NodePlan
from worker.agent.config import AgentSettings
from worker.nodes.wire import key_of


@dataclass(frozen=True)
class Group:
    """Each machine has `devices`; the others come to node 0 at `address` (host:port), and know `secret`."""

    devices: int
    address: str
    secret: str = field(repr=False)

    @classmethod
    def of(cls, settings: AgentSettings, devices: int) -> Group | None:
        """None where the worker is one machine."""
        if settings.nodes == 1 or settings.nodes_address is None:
            return None
        return cls(devices, settings.nodes_address, settings.group_secret)

    def plan(self, run: str) -> NodePlan:
        """For a trainer of node 0, which does not learn the secret."""
        return NodePlan(devices=self.devices, address=self.address, run=run, key=key_of(self.secret, run))
