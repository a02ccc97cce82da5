"""The kinds of long work: all are jobs of one engine, each kind with a queue of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal


class Kind(StrEnum):
    """What a job does."""

    TRAIN = "train"
    EVALUATE = "evaluate"
    EXPORT = "export"
    PUSH = "push"
    INSTALL = "install"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """What sets a kind apart. `makes`: what its result is. Only what `trains` has steps, checkpoints, a model to keep
    half-way; other kinds begin anew. `network`: its process may use the network."""

    meaning: str
    makes: Literal["model", "dataset", "figures"]
    trains: bool = False
    network: bool = False


KINDS: Mapping[Kind, KindFacts] = MappingProxyType(
    {
        Kind.TRAIN: KindFacts("tunes a model on a dataset", "model", trains=True),
        Kind.EVALUATE: KindFacts("measures a model on a dataset", "figures"),
        Kind.EXPORT: KindFacts("merges an adapter into its base, as a model of its own", "model"),
        Kind.PUSH: KindFacts("sends a model to a hub, and compares what lies there", "figures", network=True),
        Kind.INSTALL: KindFacts("brings a base model in from a package or a hub", "model", network=True),
        Kind.IMPORT: KindFacts("makes a dataset from a package, a URL, an S3 store or a hub", "dataset", network=True),
    }
)
KIND_NAMES: tuple[str, ...] = tuple(kind.value for kind in Kind)


def facts_of(kind: str) -> KindFacts:
    """By its name. Raises ValueError for a kind that there is not."""
    return KINDS[Kind(kind)]
