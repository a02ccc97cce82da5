"""A training as one watches it: live, paused, resumed, reloaded in mid-way, done."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.studio.conftest import Studio, Visit

_WORDS = {
    "fa": {"pause": "درنگ", "resume": "ادامه", "live": "زنده", "curves": "نمودارها", "log": "گزارش", "chart": "زیان"},
    "en": {"pause": "Pause", "resume": "Resume", "live": "Live", "curves": "Curves", "log": "Log", "chart": "Loss"},
}


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_training_is_watched_paused_resumed_and_ends(studio: Studio, language: str) -> None:
    words = _WORDS[language]
    submitted = studio.kargah.json(
        "train",
        "-m",
        "tiny-llama",
        "-d",
        "persian-qa",
        "--name",
        f"watched-{language}",
        "-o",
        f"made-{language}",
        "--epochs",
        "40",
        "--detach",
    )
    with studio.visit(language) as visit:
        page = visit.page
        visit.go("/jobs")
        page.get_by_role("link", name=f"watched-{language}").click()
        expect(page.locator("[data-status=training]")).to_be_visible()
        expect(page.get_by_text(words["live"], exact=True)).to_be_visible()
        _see_the_curve_move(visit, words["chart"])

        page.get_by_role("button", name=words["pause"], exact=True).click()
        expect(page.locator("[data-status=paused]")).to_be_visible()
        page.reload()
        expect(page.locator("[data-status=paused]")).to_be_visible()
        page.get_by_role("button", name=words["resume"], exact=True).click()
        expect(page.locator("[data-status=training], [data-status=evaluating]")).to_be_visible()

        page.reload()  # in mid-way
        _see_the_curve_move(visit, words["chart"])
        page.get_by_role("tab", name=words["log"], exact=True).click()
        expect(page.get_by_role("log")).to_contain_text("Step")
        studio.kargah.run("stop", submitted["id"])
        expect(page.locator("[data-status=completed]")).to_be_visible()
        expect(page.get_by_text(f"made-{language}").first).to_be_visible()
    attempts = studio.kargah.json("jobs", submitted["id"])
    assert attempts["status"] == "completed"


def _see_the_curve_move(visit: Visit, chart: str) -> None:
    """The chart's description tells its last value: it changes while nobody touches anything."""
    described = visit.page.get_by_role("img", name=chart).first
    expect(described).to_be_visible()
    before = described.get_attribute("aria-label")
    assert before is not None
    expect(described).not_to_have_attribute("aria-label", before)
