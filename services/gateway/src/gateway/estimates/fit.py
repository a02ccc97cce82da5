"""Whether a job fits into the workers that there are, by what they tell of themselves."""

from __future__ import annotations

from typing import Any, Literal

from gateway.estimates.memory import Work, memory_of
from kargah.contracts.estimates import MemoryEstimate, Verdict, WorkerFit
from kargah.contracts.queue import WorkerView
from kargah.domain.kinds import Kind

_SPARE = 0.9  # of a machine's memory: the system and the agent need some


def fit_of(work: Work, worker: WorkerView, devices: int) -> WorkerFit:
    """`devices`: how many the job asks for."""
    device: Literal["cpu", "gpu"] = "gpu" if worker.device.get("gpus") else "cpu"
    memory = memory_of(work, device, devices if work.params.get("sharding") == "full" else 1)
    # Processes on a CPU share the machine's memory; a GPU is each one's own.
    processes = -(-devices // _number(worker, "nodes", 1)) if device == "cpu" else 1
    held = None if device == "gpu" else _number(worker, "memoryBytes", 0) or None
    return WorkerFit(
        worker=worker.name,
        device=device,
        memory_bytes=held,
        processes=processes,
        memory=memory,
        verdict=_verdict(memory, held, processes),
    )


def could_take(worker: WorkerView, devices: int) -> bool:
    """Whether it is there, trains, and has so many devices."""
    return worker.alive and Kind.TRAIN in worker.kinds and _number(worker, "devices", 1) >= devices


def _verdict(memory: MemoryEstimate, held: int | None, processes: int) -> Verdict:
    if held is None:
        return "unknown"
    if memory.required * processes > held:
        return "does_not_fit"
    return "fits" if memory.total.most * processes <= held * _SPARE else "tight"


def _number(worker: WorkerView, name: str, otherwise: int) -> int:
    value: Any = worker.device.get(name)
    return value if type(value) is int and value > 0 else otherwise
