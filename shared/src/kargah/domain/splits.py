"""The splits that the rows of a dataset may be divided into, and the names under which files bring them."""

from __future__ import annotations

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLITS = (TRAIN, VALIDATION, TEST)

_NAMES = {
    TRAIN: ("train", "training", "آموزش"),
    VALIDATION: ("validation", "valid", "val", "dev", "development", "eval", "اعتبارسنجی"),
    TEST: ("test", "testing", "آزمون"),
}
_SPLIT_OF = {name: split for split, names in _NAMES.items() for name in names}


def split_named(name: str) -> str | None:
    """The split that goes by this name, in any case; None where none does."""
    return _SPLIT_OF.get(name.strip().casefold())
