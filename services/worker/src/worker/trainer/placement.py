"""Where a model lies while it computes: whole on this process's device, or divided among the run's processes."""

from __future__ import annotations

from typing import Any

import numpy as np

from worker.trainer import checkpoint
from worker.trainer.learner import Learner, bare
from worker.trainer.material import Material
from worker.trainer.objective import Task
from worker.trainer.passes import CommonRounds
from worker.trainer.ranks.sharding import divide
from worker.trainer.session import Session


def place(session: Session, model: Any, *, trains: bool) -> Learner:
    """Put the model where it computes. The processes' trained weights become those of the first."""
    device, team = session.device, session.team
    if not session.sharded:
        model = model.to(device.torch)
        return Learner(model, device.accelerator.prepare_model(model, evaluation_mode=not trains))
    team.copy_leader(checkpoint.trained_tensors(model).values())
    learner = Learner(model)
    divide(bare(model), team.size, device.torch)
    # An adapted model would call what is inside of it past the hooks that make it whole; it adds nothing else.
    learner.forward = device.accelerator.prepare_model(bare(model), evaluation_mode=not trains)
    return learner


def common_rounds(session: Session, material: Material) -> CommonRounds | None:
    """Of a divided model: no process can make a pass without the others."""
    if not session.sharded:
        return None
    nothing = np.zeros(1, dtype=np.int64)
    positions = nothing if material.objective.per_token else None
    return CommonRounds(session.team.most, Task(np.ones(2, dtype=np.int32), positions, nothing))
