"""Why a bundle is not made or not taken in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class BundleRefused(Exception):
    """`code` is stable. Nothing of the bundle can be seen on the platform when this is raised."""

    code: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message} {self.hint}"
