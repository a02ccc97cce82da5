"""Names of models and datasets, and the paths that the older documents used for them."""

from __future__ import annotations

import re

ALIAS_PATTERN = r"^[A-Za-z][A-Za-z0-9._-]{0,63}$"
LATEST = "latest"
"""What stands in a version's place for the newest one; no alias is called so."""
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?$"
VERSION_PATTERN = r"^([1-9][0-9]{0,8}|[A-Za-z][A-Za-z0-9._-]{0,63})$"
"""A version's number or an alias: what follows the `@` of a model's name."""
_NAME = re.compile(NAME_PATTERN)
_VERSION = re.compile(VERSION_PATTERN)
_MODEL_ROOTS = ("models/finetuned/", "models/")
_MODEL_WORDS = frozenset({"aliases", "files", "lineage", "location", "signed-files", "tags", "versions"})
_DATASET_WORDS = frozenset({"content", "location", "preview", "repairs", "splits", "statistics", "tokens", "versions"})
_DATASET_OWNERS = frozenset({"changes", "uploads"})
_DATASET_ROOTS = ("datasets/text/", "datasets/audio/", "datasets/")


def is_name(text: str) -> bool:
    """Whether `text` may name a model or a dataset: `name` or `owner/name`."""
    return _NAME.fullmatch(text) is not None and ".." not in text


def can_name_model(text: str) -> bool:
    """As `is_name`, without an `owner/name` that ends in a word of the addresses below a model's name."""
    return is_name(text) and not ("/" in text and text.rpartition("/")[2] in _MODEL_WORDS)


def can_name_dataset(text: str) -> bool:
    """As `is_name`, without the words that the addresses around a dataset's name are made of."""
    owner, _, last = text.partition("/")
    return is_name(text) and owner not in _DATASET_OWNERS and (last or owner) not in _DATASET_WORDS


def split_version(text: str) -> tuple[str, str | None]:
    """`name@3` and `name@production` are `name` and what follows the `@`; without one, `name` alone. What follows an
    `@` and can be no version stays a part of the name, which is then no name."""
    name, at, version = text.rpartition("@")
    return (name, version) if at and _VERSION.fullmatch(version) else (text, None)


def model_name(path: str) -> str:
    """`models/bert_fa_base` and `models/finetuned/test` are the models `bert_fa_base` and `test`; a name stays."""
    return _without_root(path, _MODEL_ROOTS)


def dataset_name(path: str) -> str:
    """`datasets/text/parsinlu_rc` is the dataset `parsinlu_rc`; a name stays."""
    return _without_root(path, _DATASET_ROOTS)


def _without_root(path: str, roots: tuple[str, ...]) -> str:
    path = path.strip("/")
    for root in roots:
        if path.startswith(root):
            return path[len(root) :]
    return path
