"""How a recipe reads rows: all that decides which tokens a model sees and learns, and nothing of its weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from worker.trainer.items import Tracer
from worker.trainer.objective import Objective


@dataclass(frozen=True)
class Source:
    """What a reading is made from. `tokenizer` was loaded from `tokenizer_dir`; `config` is the model's (its base's,
    where it is an adapter); `format` is the name of the rows' format."""

    tokenizer: Any
    tokenizer_dir: Path
    config: Any
    format: str


@dataclass(frozen=True)
class Reading:
    """`length`: the most tokens of an item, as far as parameters, model and tokenizer go. `objective` tells by its
    `loss_mask` which tokens of an item are learnt."""

    encoder: Tracer
    objective: type[Objective]
    length: int


def tokenizer_folder(model_dir: Path, base_dir: Path | None) -> Path:
    """An adapter's folder has a tokenizer of its own only if it was saved with one."""
    own = (model_dir / "tokenizer_config.json").is_file()
    return model_dir if own or base_dir is None else base_dir
