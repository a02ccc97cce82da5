"""Opening and saving causal language models, whole or with an adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from worker.trainer.errors import TrainingError
from worker.trainer.learner import bare
from worker.trainer.models import frozen_dtype, load_model, save_whole
from worker.trainer.session import Session


def open_causal(session: Session, lora: dict[str, Any] | None) -> Any:
    """With `lora` (keyword arguments of LoraConfig) only an adapter is trained, else every weight, in fp32.

    An adapter as base is trained on as it is, or merged into its base when every weight is to be trained.
    """
    from transformers import AutoModelForCausalLM

    base_dir = session.base_dir or session.model_dir
    dtype = torch.float32 if lora is None else frozen_dtype(session)
    model = load_model(AutoModelForCausalLM, base_dir, dtype)
    if session.base_dir is not None:
        adapted = open_adapter(model, session.model_dir, trainable=lora is not None)
        return adapted if lora is not None else adapted.merge_and_unload().requires_grad_(True)
    return model if lora is None else _with_adapter(model, lora)


def open_to_measure(session: Session) -> Any:
    """The model as it is; an adapter stays beside its base, as it was when its training measured it."""
    from transformers import AutoModelForCausalLM

    model = load_model(AutoModelForCausalLM, session.base_dir or session.model_dir, frozen_dtype(session))
    return model if session.base_dir is None else open_adapter(model, session.model_dir)


def save_causal(model: Any, session: Session, folder: Path) -> None:
    """An adapter's folder, or a whole model in the type its base is stored in."""
    if hasattr(model, "peft_config"):
        for config in model.peft_config.values():
            config.base_model_name_or_path = session.base_name
        model.save_pretrained(folder, safe_serialization=True, save_embedding_layers=False)
        bare(model).generation_config.save_pretrained(folder)
        return
    save_whole(model, session.base_dir or session.model_dir, folder)


def _with_adapter(model: Any, lora: dict[str, Any]) -> Any:
    from peft import LoraConfig, get_peft_model

    try:
        return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **lora))
    except ValueError as error:
        raise TrainingError(
            "bad_params", f"The adapter cannot be put on this model: {error}", "Leave target_modules empty."
        ) from error


def open_adapter(model: Any, folder: Path, trainable: bool = False) -> Any:
    """The base `model` with the adapter of `folder` on it. Raises TrainingError."""
    from peft import PeftModel

    try:
        return PeftModel.from_pretrained(model, folder, is_trainable=trainable, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise TrainingError(
            "bad_model", f"The adapter cannot be opened: {error}", "Install it again, with its base."
        ) from error
