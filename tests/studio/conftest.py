"""A stack with a tiny model and the Persian set, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from kargah.embedded.ports import free_port
from kargah.testing.servers.folder import server_folder
from tests.e2e.commands import PERSIAN_QA, Kargah
from worker.testing.tiny_models import tiny_llama

_PATIENCE_MS = 60_000


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
        visit.page.set_default_timeout(_PATIENCE_MS)
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


def locked_stack(data: Path) -> tuple[Kargah, str]:
    """A stack where people must log in, and the first admin's password."""
    kargah = Kargah(f"http://127.0.0.1:{free_port()}")
    kargah.run("up", "--auth", "--detach", "--data", str(data), "--port", kargah.url.rpartition(":")[2])
    return kargah, (data / "secrets" / "first-admin").read_text().strip()


@pytest.fixture(scope="session")
def studio(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with server_folder() as data:
        kargah = Kargah(f"http://127.0.0.1:{free_port()}")
        kargah.run("up", "--detach", "--data", str(data), "--port", kargah.url.rpartition(":")[2])
        try:
            model = tiny_llama(tmp_path_factory.mktemp("llama"))
            kargah.run("model", "install", str(model), "--name", "tiny-llama")
            kargah.run("dataset", "upload", str(PERSIAN_QA), "--name", "persian-qa")
            yield Studio(kargah, browser)
        finally:
            kargah.run("down", "--data", str(data))


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which `make studio` installs."""
    return (Path(__file__).parents[2] / "services/studio/node_modules/axe-core/axe.min.js").read_text()
