"""Hashes that say whether two runs are the same run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from worker.recipes.params import CommonParams
from worker.trainer.checkpoint import Identity
from worker.trainer.session import Session

_LIBRARIES = ("torch", "transformers", "peft", "accelerate", "tokenizers", "numpy")
# When it saves and where the weights lie changes no result; how long it runs may change where a job goes on from
# another's checkpoint.
_MAY_DIFFER = {"checkpoint_seconds", "checkpoint_steps", "epochs", "max_steps", "sharding"}
_TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json",
    "vocab.txt", "merges.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "chat_template.jinja",
)  # fmt: skip


def identity(session: Session, recipe: str) -> Identity:
    """Of a checkpoint: the parameters that change a run's results, the dataset, the model, the libraries."""
    folders = [session.model_dir, *([session.base_dir] if session.base_dir else [])]
    must_match = {
        "recipe": recipe,
        "parameters": _params_hash(session.params, session.context.spec.params),
        "dataset": "+".join(filter(None, (dataset_hash(session), session.context.spec.splits_sha256))),
        "base model": _digest(_sized(path) for folder in folders for path in sorted(folder.iterdir())),
    }
    return Identity(must_match, versions())


def dataset_hash(session: Session) -> str:
    """As the agent has verified it; of the file itself when the run was started by hand."""
    spec = session.context.spec
    return spec.dataset_sha256 or session.rows.sha256()


def versions() -> dict[str, str]:
    """Of the libraries that compute."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


def tokenizer_hash(folder: Path) -> str:
    """Of the content of a tokenizer's files."""
    found = [folder / name for name in _TOKENIZER_FILES if (folder / name).is_file()]
    return _digest(f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}" for path in found)


def _params_hash(params: CommonParams, given: Mapping[str, Any]) -> str:
    """Of those in the job's snapshot: a parameter that a later release adds has its default, and changes no run."""
    counted = params.model_dump(include=given.keys() - _MAY_DIFFER)
    return _digest([json.dumps(counted, sort_keys=True)])


def _sized(path: Path) -> str:
    """Enough to tell versions apart without reading gigabytes: the agent has verified the content."""
    if path.suffix == ".json":
        return f"{path.name}:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return f"{path.name}:{path.stat().st_size}"


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
