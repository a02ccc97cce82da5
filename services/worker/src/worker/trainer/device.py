"""The device, its arithmetic, and how much goes through the model at once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Literal

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from worker.trainer.errors import TrainingError
from worker.trainer.memory import keep_freed_memory

CPU_TOKENS = 2048
_GPU_TOKENS = (2048, 65_536)

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Device:
    """Where the run computes. `precision` is the arithmetic of the passes; trained weights are fp32."""

    accelerator: Accelerator
    precision: Precision

    @property
    def torch(self) -> torch.device:
        device = self.accelerator.device
        assert isinstance(device, torch.device)
        return device

    @property
    def is_gpu(self) -> bool:
        return self.torch.type == "cuda"


def open_device(
    wanted: Literal["auto", "fp32", "bf16"], threads: int, *, deterministic: bool = False, sharers: int = 1
) -> Device:
    """Take the GPU if there is one. `threads` of the CPU, 0 for all that this process may use, are
    divided among `sharers` processes.

    `deterministic` kernels also need CUBLAS_WORKSPACE_CONFIG, which the agent sets for every trainer.
    """
    keep_freed_memory()
    torch.use_deterministic_algorithms(deterministic)
    torch.set_num_threads(max(1, (threads or len(os.sched_getaffinity(0))) // sharers))
    precision = _precision(wanted)
    AcceleratorState._reset_state(True)
    mixed = "bf16" if precision == "bf16" else "no"
    return Device(Accelerator(mixed_precision=mixed, cpu=not torch.cuda.is_available()), precision)


def has_bf16() -> bool:
    """Whether the device computes in bf16; software that only emulates it is slower than fp32."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_capability() >= (8, 0)
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _precision(wanted: Literal["auto", "fp32", "bf16"]) -> Precision:
    if wanted == "auto":
        return "bf16" if has_bf16() else "fp32"
    if wanted == "bf16" and not has_bf16():
        raise TrainingError(
            "unsupported_precision", "This worker's device does not compute in bf16.", "Choose auto or fp32."
        )
    return wanted


def token_budget(device: Device, model: Any, config: Any) -> int:
    """Tokens per pass: on a CPU what its caches like, on a GPU what half of the memory left over should hold.

    Too high a guess costs one retried step, as running out of memory halves it.
    """
    if not device.is_gpu:
        return CPU_TOKENS
    free, _ = torch.cuda.mem_get_info(device.torch)
    trained = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    width = 2 if device.precision == "bf16" else 4
    layers, hidden = getattr(config, "num_hidden_layers", 12), getattr(config, "hidden_size", 1024)
    inner, vocabulary = getattr(config, "intermediate_size", 4 * hidden), getattr(config, "vocab_size", 32_000)
    per_token = layers * width * (10 * hidden + 4 * inner) + 10 * vocabulary
    fits = int(0.5 * (free - 12 * trained) / per_token)
    return max(_GPU_TOKENS[0], min(_GPU_TOKENS[1], fits))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device, or the host, had no memory for it."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
