"""Which function a trainer process runs, named as `package.module:function`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

from kargah.contracts.runs import RunSpec

TRAINER = "worker.trainer.main:run"
PRELOAD = "worker.trainer.preload:preload"

Run = Callable[[RunSpec, int, int], int]


def resolve(name: str) -> Callable[..., object]:
    """The function that `module:function` names. Raises ImportError or AttributeError, naming what is absent."""
    module, _, function = name.partition(":")
    return cast(Callable[..., object], getattr(importlib.import_module(module), function))


def run_spec(entry: str, spec_path: Path, read_fd: int, write_fd: int) -> int:
    """Run `entry` on the spec in `spec_path`; its exit code."""
    run = cast(Run, resolve(entry))
    return run(RunSpec.model_validate_json(spec_path.read_bytes()), read_fd, write_fd)
