"""No page is a dead end: what ended leads to what it made, and who leaves a window is where they were."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.studio.texts import said
from tests.studio.visits import Studio, Visit

# The texts of what comes late are here before it.
_LATE_TEXTS = "() => performance.getEntriesByType('resource').some(({ name }) => /\\/tokens-[^/]*\\.js$/.test(name))"


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_import_leads_to_its_dataset(studio: Studio, language: str) -> None:
    name = f"talks-{language}"
    with studio.visit(language) as visit:
        page = visit.page
        visit.go("/datasets")
        page.get_by_role("button", name=said(language, "datasets:import.open"), exact=True).click()
        page.get_by_text(said(language, "datasets:import.kinds.chatterbot"), exact=True).click()
        page.get_by_role("dialog").get_by_label(said(language, "datasets:upload.name")).fill(name)
        page.get_by_role("button", name=said(language, "datasets:import.start"), exact=True).click()
        expect(page.locator("[data-status=completed]")).to_be_visible()
        expect(page.get_by_role("tab", name=said(language, "job:tabs.checkpoints"), exact=True)).to_have_count(0)
        page.get_by_role("link", name=said(language, "datasets:upload.open"), exact=True).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        _find_it_from_the_dashboard(visit, language, name)


def _find_it_from_the_dashboard(visit: Visit, language: str, name: str) -> None:
    """What a number counts is in the list that it leads to."""
    visit.go("/")
    counted = said(language, "dashboard:counts.completed")
    visit.page.get_by_role("main").get_by_role("link", name=counted).click()
    expect(visit.page.get_by_role("link", name=re.compile(name)).first).to_be_visible()


def test_escape_gives_the_focus_back(studio: Studio) -> None:
    with studio.visit("en") as visit:
        page = visit.page
        visit.go("/datasets/persian-qa")
        dots = page.get_by_role("button", name=said("en", "datasets:actions").replace("{{name}}", "persian-qa"))
        dots.focus()
        page.keyboard.press("Enter")
        page.get_by_role("menuitem", name=said("en", "dataset:actions.deleteAll"), exact=True).focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        expect(page.get_by_role("dialog").locator(":focus")).to_have_count(1)
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(dots).to_be_focused()


def test_what_comes_late_leaves_the_form_and_the_focus_alone(studio: Studio) -> None:
    held: list[Route] = []
    with studio.visit() as visit:
        page = visit.page
        page.route("**/api/datasets/*/tokens**", lambda route: held.append(route))
        visit.go("/new?model=tiny-llama&dataset=persian-qa")
        name = page.get_by_label(said("fa", "new:name.label"))
        name.fill("آزمایش")
        page.wait_for_function(_LATE_TEXTS)
        for route in held:
            route.continue_()
        page.unroute("**/api/datasets/*/tokens**")
        expect(page.get_by_text(said("fa", "tokens:view.text")).first).to_be_visible()
        expect(name).to_be_focused()


def test_a_card_leads_to_a_comparison_that_spreadsheets_can_read(studio: Studio) -> None:
    arguments = ["-m", "tiny-llama", "-d", "persian-qa", "--max-steps", "10", "--name", "سنجش"]
    studio.kargah.run("train", *arguments, "-o", "compared")
    with studio.visit() as visit:
        page = visit.page
        visit.go("/jobs?name=سنجش")
        page.get_by_role("button", name=said("fa", "common:controls.actions").replace("{{name}}", "سنجش")).click()
        page.get_by_role("menuitem", name=said("fa", "common:controls.compare"), exact=True).click()
        with page.expect_download() as saved:
            page.get_by_role("button", name=said("fa", "compare:csvTable"), exact=True).click()
        table = Path(saved.value.path()).read_bytes()
    assert table.startswith(b"\xef\xbb\xbf")
    assert "سنجش" in table.decode("utf-8-sig")
