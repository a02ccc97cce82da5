"""What the front matter of a model card (README.md) says, as far as the registry keeps it."""

from __future__ import annotations

from collections.abc import Sequence

from kargah.contracts.models import ModelFile
from kargah.domain.hub_repository import licence_of
from kargah.ports.object_store import ObjectStore
from registry.blobs.service import PREFIX
from registry.repos.card import BadCard, front_matter

CARD = "README.md"
_MOST_BYTES = 64 << 10
_LONGEST = 100


def read_license(store: ObjectStore, files: Sequence[ModelFile]) -> str | None:
    """The licence that a version's card names; None where there is no card, or it names none."""
    card = next((file for file in files if file.path == CARD), None)
    if card is None or card.size_bytes == 0:
        return None
    with store.open(PREFIX + card.sha256, length=min(card.size_bytes, _MOST_BYTES)) as stream:
        return license_in(stream.read().decode("utf-8", "replace"))


def license_in(card: str) -> str | None:
    """The licence that the front matter names."""
    try:
        named = licence_of(front_matter(card))
    except BadCard:
        return None  # a card is for people: one that cannot be read is no reason to refuse a model
    return named[:_LONGEST] if named is not None else None
