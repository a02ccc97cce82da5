"""The Studio's own words, so that tests need no second copy of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[2] / "services/studio/src/i18n"


def said(language: str, key: str) -> str:
    """The text of `page:path.to.it` in `fa` or `en`."""
    page, _, path = key.partition(":")
    found: Any = _texts(language, page)
    for part in path.split("."):
        found = found[part]
    assert isinstance(found, str), key
    return found


@cache
def _texts(language: str, page: str) -> dict[str, Any]:
    texts: dict[str, Any] = json.loads((_FOLDER / language / f"{page}.json").read_text(encoding="utf-8"))
    return texts
