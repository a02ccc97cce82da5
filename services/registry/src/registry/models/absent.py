"""What to answer for a model that is not there."""

from __future__ import annotations

from kargah.domain.errors import NotFound


def absent(name: str, version: str | None = None) -> NotFound:
    """For the whole model, or for the version or alias that was asked for."""
    what = f"model {name!r}" if version is None else f"{_which(version)} of the model {name!r}"
    hint = "See what is installed: kargah model list, or GET /api/models."
    if version is not None:
        hint = f"See which there are: kargah model versions {name}, or GET /api/models/{name}/versions."
    return NotFound(f"There is no {what}.", hint=hint)


def _which(version: str) -> str:
    return f"version {version}" if version.isdigit() else f"alias {version!r}"
