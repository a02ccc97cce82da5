"""Which files of a hub repository make a model here, and why a repository is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kargah.domain.file_paths import problem_with_path
from kargah.domain.model_files import is_pickled, problem_with_code, problem_with_config

INDEX = "model.safetensors.index.json"
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
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


CONFIGS = ("config.json", "tokenizer_config.json", "processor_config.json")
"""Whose content says whether a model would need code of its own."""


@dataclass
class RepositoryRefused(Exception):
    """Why a repository makes no model here, and what to do instead."""

    code: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} ({self.hint})"


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of the repository at a fixed commit. `sha256` is known for large ones, `git_sha1` for the others."""

    path: str
    size_bytes: int
    sha256: str | None
    git_sha1: str | None


def files_of(siblings: Iterable[Any] | None) -> dict[str, HubFile]:
    """The files by path, of the `siblings` that huggingface_hub's infos of models and datasets have."""
    found = (
        HubFile(one.rfilename, one.size or 0, one.lfs.sha256 if one.lfs else None, None if one.lfs else one.blob_id)
        for one in siblings or ()
    )
    return {file.path: file for file in found}


def small_files(files: Mapping[str, HubFile]) -> list[HubFile]:
    """Configuration, tokenizer, card and licence: everything but weights. Raises RepositoryRefused without a config."""
    if "config.json" not in files and "adapter_config.json" in files:
        raise RepositoryRefused("adapter", "the repository is an adapter, not a model that stands alone")
    if "config.json" not in files:
        raise RepositoryRefused("no_config", "the repository has no config.json: it is no transformers model")
    return [file for path, file in sorted(files.items()) if path in _WANTED]


def weight_files(files: Mapping[str, HubFile], index: Mapping[str, object] | None) -> list[HubFile]:
    """The safetensors to fetch: one file, or the shards that the index names. Raises RepositoryRefused for none."""
    if _SINGLE in files:
        return [files[_SINGLE]]
    if index is None:
        raise _no_weights(files)
    shards = index.get("weight_map")
    if not isinstance(shards, dict) or not shards:
        raise RepositoryRefused("bad_config", f"{INDEX} has no weight_map")
    return [_shard(files, name) for name in sorted({str(name) for name in shards.values()})]


def announced_weights(files: Mapping[str, HubFile]) -> list[HubFile]:
    """What the weights will be, before an index of shards was read: the one file, or everything named like a shard.

    Raises RepositoryRefused where there are no safetensors at all.
    """
    if _SINGLE in files:
        return [files[_SINGLE]]
    if INDEX not in files:
        raise _no_weights(files)
    return [file for path, file in sorted(files.items()) if _SHARD.fullmatch(path)]


def licence_of(card: Mapping[str, object] | None, tags: Sequence[str] = ()) -> str | None:
    """As the card's front matter names it (`license_name` for the licence `other`), or a tag `license:...`."""
    named = (card or {}).get("license")
    if named == "other":
        named = (card or {}).get("license_name") or named
    if isinstance(named, list):
        named = ", ".join(one for one in named if isinstance(one, str))
    tagged = next((tag.partition(":")[2] for tag in tags if tag.startswith("license:")), None)
    return (named.strip() if isinstance(named, str) else "") or tagged


def check_config(name: str, config: Mapping[str, object]) -> None:
    """Raises RepositoryRefused for one of CONFIGS that needs foreign code, or names an unknown architecture."""
    check = problem_with_config if name == "config.json" else problem_with_code
    if (problem := check(config)) is not None:
        raise RepositoryRefused("refused_config", f"{name} {problem}")


def _shard(files: Mapping[str, HubFile], name: str) -> HubFile:
    if problem_with_path(name) is not None or not re.fullmatch(r"[\w.-]+\.safetensors", name):
        raise RepositoryRefused(
            "bad_config", f"{INDEX} names the shard {name[:100]!r}, which is no plain safetensors file"
        )
    if name not in files:
        raise RepositoryRefused("incomplete", f"{INDEX} names {name}, which the repository lacks")
    return files[name]


def _no_weights(files: Mapping[str, HubFile]) -> RepositoryRefused:
    pickled = sorted(filter(is_pickled, files))
    if pickled:
        return RepositoryRefused(
            "pickle_only",
            f"the repository has pickled weights only ({', '.join(pickled[:3])}), which can run code when loaded",
            "choose a repository or a revision with .safetensors (many have one at refs/convert/safetensors)",
        )
    return RepositoryRefused("no_safetensors", "the repository has no model.safetensors")
