"""Opening model folders: local files, safetensors, no code from the folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from worker.trainer.errors import TrainingError
from worker.trainer.session import Session

_LOCAL = {"local_files_only": True, "trust_remote_code": False}


def quieten() -> None:
    """No progress bars: the job's log has its own lines."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()


def load_tokenizer(folder: Path) -> Any:
    """Raises TrainingError when there is none that can be read."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, **_LOCAL)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise TrainingError(
            "bad_model",
            f"The model's tokenizer cannot be read: {error}",
            "Install the model again, with its tokenizer.",
        ) from error


def load_model(loader: Any, folder: Path, dtype: torch.dtype, **options: Any) -> Any:
    """A model by one of transformers' Auto classes. Raises TrainingError when it cannot be read."""
    try:
        return loader.from_pretrained(folder, dtype=dtype, use_safetensors=True, **_LOCAL, **options)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        raise TrainingError(
            "bad_model",
            f"The model cannot be opened for this kind of training: {error}",
            "Choose a model of a kind that the recipe accepts, saved as safetensors.",
        ) from error


def frozen_dtype(session: Session) -> torch.dtype:
    """Of weights that are not trained: they need no more digits than the arithmetic has."""
    return torch.bfloat16 if session.device.precision == "bf16" else torch.float32


def stored_dtype(folder: Path) -> torch.dtype:
    """In which the base's weights are stored, so that a trained copy is not twice its size."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    name = config.get("dtype") or config.get("torch_dtype") or "float32"
    found = getattr(torch, str(name), torch.float32)
    return found if isinstance(found, torch.dtype) else torch.float32


def cast_weights(model: Any, dtype: torch.dtype) -> None:
    """Parameters alone, as when a model is opened in that type. `model.to` would round what it computes with besides:
    the frequencies of rotary positions, which a saved model does not hold."""
    for parameter in model.parameters():
        parameter.data = parameter.data.to(dtype)


def context_length(config: Any, tokenizer: Any, wanted: int) -> int:
    """The most tokens a row may have: what is wanted, as far as model and tokenizer go."""
    limit = getattr(config, "max_position_embeddings", None)
    if limit is not None and getattr(config, "model_type", "") in _OFFSET_POSITIONS:
        limit -= 2
    return int(min(wanted, *(bound for bound in (limit, tokenizer.model_max_length) if bound)))


_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer"}


def save_whole(model: Any, base: Path, folder: Path) -> None:
    """All weights as safetensors, in the type that the base is stored in."""
    model.to(stored_dtype(base)).save_pretrained(folder, safe_serialization=True)
