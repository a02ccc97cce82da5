"""Pictures of every page for the documents: `make pictures`, in front of a stack with two finished trainings.

python -m tests.studio.pictures http://127.0.0.1:8080 docs/studio
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from kargah.clients.client import Client
from kargah.domain.job_state import Status
from kargah.domain.kinds import Kind
from tests.studio.texts import said

_QUESTION = "پایتخت ایران کجاست؟"
_PATIENCE_MS = 120_000
_QUALITY = 80
# Language, colours, width and height, and how many pixels of the picture each of them takes.
_LOOKS = {
    "fa-light": ("fa", "light", 1360, 900, 0.8),
    "fa-dark": ("fa", "dark", 1360, 900, 0.8),
    "en-light": ("en", "light", 1360, 900, 0.8),
    "fa-phone": ("fa", "light", 390, 844, 1.0),
}


def addresses(client: Client) -> dict[str, str]:
    """Where each page is, by its name, of the two newest trainings that made a model."""
    jobs = client.jobs.list(status=Status.COMPLETED, kind=Kind.TRAIN, limit=2).items
    newest = jobs[0].config
    assert newest.base_model is not None and newest.dataset is not None
    model, dataset = newest.base_model.name, newest.dataset.name
    return {
        "dashboard": "/",
        "new": f"/new?model={model}&dataset={dataset}",
        "jobs": "/jobs",
        "job": f"/jobs/{jobs[0].id}",
        "compare": f"/compare?jobs={','.join(job.id for job in jobs)}",
        "datasets": "/datasets",
        "dataset": f"/datasets/{dataset}#tokens",
        "models": "/models",
        "model": f"/models/{newest.output_model}",
        "hub": "/hub",
        "playground": f"/playground?model={newest.output_model}&beside={model}",
        "settings": "/settings",
    }


def main(url: str, folder: Path) -> None:
    """One picture a page and a look, as WebP."""
    with Client(url) as client:
        pages = addresses(client)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for look in _LOOKS:
            with _page(browser, look) as page:
                for name, address in pages.items():
                    page.goto(f"{url}/studio{address}")
                    page.get_by_role("heading", level=1).first.wait_for()
                    page.wait_for_load_state("networkidle")
                    if name == "playground":
                        _ask(page, look.partition("-")[0])
                    _save(page, folder / f"{name}-{look}.webp")
        browser.close()


@contextmanager
def _page(browser: Browser, look: str) -> Iterator[Page]:
    language, scheme, width, height, scale = _LOOKS[look]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        device_scale_factor=scale,
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    context.add_init_script(f"localStorage.setItem('kargah.settings', JSON.stringify({{language: '{language}'}}))")
    page = context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    yield page
    context.close()


def _ask(page: Page, language: str) -> None:
    page.get_by_label(said(language, "playground:composer.label"), exact=True).fill(_QUESTION)
    page.get_by_role("button", name=said(language, "playground:composer.send"), exact=True).click()
    page.locator("article[data-state=done]").nth(1).wait_for()


def _save(page: Page, path: Path) -> None:
    """The screenshot's own call knows no WebP."""
    page.wait_for_timeout(500)
    session = page.context.new_cdp_session(page)
    answer = session.send("Page.captureScreenshot", {"format": "webp", "quality": _QUALITY})
    path.write_bytes(base64.b64decode(answer["data"]))
    session.detach()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
