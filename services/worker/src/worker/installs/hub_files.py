"""Which files of a hub repository make a model here, and why a repository is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from kargah.domain.file_paths import problem_with_path
from kargah.domain.model_files import PICKLED
from worker.installs.errors import InstallFailed

INDEX = "model.safetensors.index.json"
_SINGLE = "model.safetensors"
_NAMES = """
config.json generation_config.json model.safetensors.index.json
tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json vocab.json vocab.txt merges.txt
tokenizer.model spiece.model sentencepiece.bpe.model normalizer.json
chat_template.jinja chat_template.json preprocessor_config.json processor_config.json
modules.json sentence_bert_config.json config_sentence_transformers.json 1_Pooling/config.json
README.md LICENSE LICENSE.md LICENSE.txt NOTICE
"""
_WANTED = frozenset(_NAMES.split())


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of the repository at a fixed commit. `sha256` is known for large ones, `git_sha1` for the others."""

    path: str
    size_bytes: int
    sha256: str | None
    git_sha1: str | None


def small_files(files: Mapping[str, HubFile]) -> list[HubFile]:
    """Configuration, tokenizer, card and licence: everything but weights. Raises InstallFailed without a config."""
    if "config.json" not in files and "adapter_config.json" in files:
        raise InstallFailed("adapter", "the repository is an adapter, not a model that stands alone")
    if "config.json" not in files:
        raise InstallFailed("no_config", "the repository has no config.json: it is no transformers model")
    return [file for path, file in sorted(files.items()) if path in _WANTED]


def weight_files(files: Mapping[str, HubFile], index: Mapping[str, object] | None) -> list[HubFile]:
    """The safetensors to fetch: one file, or the shards that the index names. Raises InstallFailed for none."""
    if _SINGLE in files:
        return [files[_SINGLE]]
    if index is None:
        raise _no_weights(files)
    shards = index.get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise InstallFailed("bad_config", f"{INDEX} has no weight_map")
    return [_shard(files, name) for name in sorted({str(name) for name in shards.values()})]


def _shard(files: Mapping[str, HubFile], name: str) -> HubFile:
    if problem_with_path(name) is not None or not re.fullmatch(r"[\w.-]+\.safetensors", name):
        raise InstallFailed("bad_config", f"{INDEX} names the shard {name[:100]!r}, which is no plain safetensors file")
    if name not in files:
        raise InstallFailed("incomplete", f"{INDEX} names {name}, which the repository lacks")
    return files[name]


def _no_weights(files: Mapping[str, HubFile]) -> InstallFailed:
    pickled = sorted(path for path in files if PurePosixPath(path).suffix.lower() in PICKLED)
    if pickled:
        return InstallFailed(
            "pickle_only",
            f"the repository has pickled weights only ({', '.join(pickled[:3])}), which can run code when loaded",
            "choose a repository or a revision with .safetensors (many have one at refs/convert/safetensors)",
        )
    return InstallFailed("no_safetensors", "the repository has no model.safetensors")
