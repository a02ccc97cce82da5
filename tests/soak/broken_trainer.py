"""Trainers that resume wrongly, named as `KARGAH_TRAINER_ENTRY`. For negative controls only."""

from __future__ import annotations

from typing import Any

from kargah.contracts.runs import RunSpec
from worker.trainer import fit, main, rng


def without_rng(spec: RunSpec, read_fd: int, write_fd: int) -> int:
    """The random numbers go on from wherever the new process stands."""
    rng.restore = lambda state: None
    return main.run(spec, read_fd, write_fd)


def skip_a_step(spec: RunSpec, read_fd: int, write_fd: int) -> int:
    """The cursor is one ahead of the weights."""
    _shift(1)
    return main.run(spec, read_fd, write_fd)


def repeat_a_step(spec: RunSpec, read_fd: int, write_fd: int) -> int:
    """The cursor is one behind the weights."""
    _shift(-1)
    return main.run(spec, read_fd, write_fd)


def _shift(by: int) -> None:
    resume = fit._resume

    def shifted(session: Any, parts: Any) -> Any:
        state = resume(session, parts)
        if state is not None and 0 < state.step + by <= parts.plan.total:
            state.step += by
        return state

    fit._resume = shifted
