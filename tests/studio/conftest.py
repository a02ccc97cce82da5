"""A stack with a tiny model and the Persian set, one where people must log in, and a browser: each started once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from kargah.embedded.ports import free_port
from kargah.testing.servers.folder import server_folder
from tests.e2e.commands import PERSIAN_QA, Kargah
from tests.studio.locked import Locked, locked_stack
from tests.studio.visits import PATIENCE_MS, Studio
from worker.testing.tiny_models import tiny_llama


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
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


@pytest.fixture(scope="package")
def locked(browser: Browser) -> Iterator[Locked]:
    """A stack where people must log in."""
    with locked_stack() as (kargah, password):
        yield Locked(Studio(kargah, browser), password)


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which `make studio` installs."""
    return (Path(__file__).parents[2] / "services/studio/node_modules/axe-core/axe.min.js").read_text()
