"""The doorbell: tells workers that a job may wait. It carries a job id only; losing a ring loses nothing."""

from __future__ import annotations

from typing import Protocol


class Doorbell(Protocol):
    """The ringing side, in the gateway and the reconciler."""

    def ring(self, job_id: str, kind: str) -> None:
        """Tell some worker that serves `kind`. May raise; the caller logs it and the reconciler rings again."""
        ...


class DoorbellListener(Protocol):
    """The listening side, in the worker's agent."""

    def wait(self, timeout: float) -> bool:
        """Block until a ring or until `timeout` seconds have passed; whether it rang. Never loses the loop: on a
        lost connection it reconnects, and returns False at the timeout."""
        ...

    def close(self) -> None: ...
