"""Visits to the Studio of a stack, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page

from tests.e2e.commands import Kargah

PATIENCE_MS = 60_000


@dataclass
class Visit:
    """A page of the Studio, and what went wrong on it."""

    page: Page
    url: str
    broken: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        """To an address below `/studio`."""
        self.page.goto(f"{self.url}/studio{path}")


@dataclass(frozen=True)
class Studio:
    """The stack's command line, and visits to its Studio."""

    kargah: Kargah
    browser: Browser

    @contextmanager
    def visit(self, language: str = "fa", scheme: str = "light", width: int = 1360) -> Iterator[Visit]:
        """A fresh browser. Fails at the end for errors on the page, and for any request that left the stack."""
        chosen = f"localStorage.setItem('kargah.settings', JSON.stringify({{language: '{language}'}}))"
        context = self.browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme="dark" if scheme == "dark" else "light"
        )
        context.add_init_script(chosen)
        visit = Visit(context.new_page(), self.kargah.url)
        visit.page.set_default_timeout(PATIENCE_MS)
        visit.page.on("pageerror", lambda error: visit.broken.append(str(error)))
        visit.page.on("console", lambda said: _blame(visit, said.text))
        visit.page.on("request", lambda sent: _note(visit, sent.url))
        yield visit
        context.close()
        assert visit.broken == []
        assert visit.outside == []


def _blame(visit: Visit, said: str) -> None:
    """What the content policy refused, and a text that there is not."""
    if "Content Security" in said or said.startswith("no text:"):
        visit.broken.append(said)


def _note(visit: Visit, url: str) -> None:
    if not url.startswith((visit.url, "data:", "blob:")):
        visit.outside.append(url)
