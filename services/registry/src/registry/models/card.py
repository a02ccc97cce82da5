"""What the front matter of a model card (README.md) says, as far as the registry keeps it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from kargah.contracts.models import ModelFile
from kargah.ports.object_store import ObjectStore
from registry.blobs.service import PREFIX

CARD = "README.md"
_MOST_BYTES = 64 << 10
_LONGEST = 100
_FRONT_MATTER = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---\s*(\n|\Z)", re.DOTALL)


def read_license(store: ObjectStore, files: Sequence[ModelFile]) -> str | None:
    """The licence that a version's card names; None where there is no card, or it names none."""
    card = next((file for file in files if file.path == CARD), None)
    if card is None or card.size_bytes == 0:
        return None
    with store.open(PREFIX + card.sha256, length=min(card.size_bytes, _MOST_BYTES)) as stream:
        return license_in(stream.read().decode("utf-8", "replace"))


def license_in(card: str) -> str | None:
    """`license` of the front matter, or the name that goes with the licence `other`."""
    match = _FRONT_MATTER.match(card.replace("\r\n", "\n"))
    try:
        front = yaml.safe_load(match[1]) if match else None
    except (yaml.YAMLError, ValueError, RecursionError):
        return None  # a card is for people: one that cannot be read is no reason to refuse a model
    if not isinstance(front, dict):
        return None
    named = front.get("license")
    if named == "other":
        named = front.get("license_name") or named
    if isinstance(named, list):
        named = ", ".join(item for item in named if isinstance(item, str))
    return named.strip()[:_LONGEST] or None if isinstance(named, str) else None
