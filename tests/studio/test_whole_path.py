"""From a file to a conversation with what was learnt from it: by keyboard alone in Persian, with a mouse in English."""

from __future__ import annotations

import re
import tarfile

import pytest
from playwright.sync_api import expect

from tests.e2e.commands import PERSIAN_QA
from tests.studio.hands import Hand, Keys, Mouse
from tests.studio.texts import said
from tests.studio.visits import Studio, Visit

_EPOCHS = {"fa": "دورها", "en": "Epochs"}


@pytest.mark.parametrize(("language", "hand"), [("fa", Keys()), ("en", Mouse())], ids=["fa", "en"])
def test_a_file_becomes_a_model_that_answers(studio: Studio, language: str, hand: Hand) -> None:
    with studio.visit(language) as visit:
        _upload(visit, language, hand)
        _start(visit, language, hand)
        _watch(visit, language)
        _pause_and_go_on(visit, language, hand)
        _end_early(visit, language, hand)
        _keep_a_checkpoint(visit, language, hand)
        _chat(visit, language, hand)


def _upload(visit: Visit, language: str, hand: Hand) -> None:
    page = visit.page
    visit.go("/datasets")
    page.locator("input[type=file]").set_input_files(PERSIAN_QA)
    hand.write(page.get_by_label(said(language, "datasets:upload.name")), f"rows-{language}")
    hand.press(page.get_by_role("button", name=said(language, "datasets:upload.start"), exact=True))
    hand.press(page.get_by_role("status").get_by_role("link", name=said(language, "datasets:train"), exact=True))


def _start(visit: Visit, language: str, hand: Hand) -> None:
    page = visit.page
    model = page.get_by_role("combobox", name=said(language, "new:model.label")).or_(
        page.get_by_role("textbox", name=said(language, "new:model.label"))
    )
    hand.choose(model.first, "tiny-llama")
    hand.write(page.get_by_label(said(language, "new:name.label")), f"path {language}")
    hand.write(page.get_by_label(said(language, "new:output.label")), f"learnt-{language}")
    hand.write(page.get_by_label(re.compile(f"^{_EPOCHS[language]}")), "60")
    hand.press(page.get_by_role("button", name=said(language, "new:start"), exact=True))


def _watch(visit: Visit, language: str) -> None:
    expect(visit.page.locator("[data-status=training]")).to_be_visible()
    expect(visit.page.get_by_text(said(language, "common:live.live"), exact=True)).to_be_visible()
    _see_the_curve_move(visit, language)


def _pause_and_go_on(visit: Visit, language: str, hand: Hand) -> None:
    page = visit.page
    hand.press(page.get_by_role("button", name=said(language, "common:controls.pause"), exact=True))
    expect(page.locator("[data-status=paused]")).to_be_visible()
    page.reload()
    hand.press(page.get_by_role("button", name=said(language, "common:controls.resume"), exact=True))
    expect(page.locator("[data-status=training]")).to_be_visible()
    page.reload()  # in mid-way
    _see_the_curve_move(visit, language)
    hand.turn_to(page.get_by_role("tab", name=said(language, "job:tabs.log"), exact=True))
    expect(page.get_by_role("log")).to_contain_text("Step")


def _end_early(visit: Visit, language: str, hand: Hand) -> None:
    page = visit.page
    actions = said(language, "common:controls.actions").replace("{{name}}", f"path {language}")
    hand.press(page.get_by_role("button", name=actions))
    hand.take(page.get_by_role("menuitem", name=said(language, "common:controls.stop")))
    expect(page.locator("[data-status=completed]")).to_be_visible()
    hand.turn_to(page.get_by_role("tab", name=said(language, "job:tabs.timeline"), exact=True))
    expect(page.get_by_text(said(language, "job:timeline.nothingLost"))).to_be_visible()


def _keep_a_checkpoint(visit: Visit, language: str, hand: Hand) -> None:
    page = visit.page
    hand.turn_to(page.get_by_role("tab", name=said(language, "job:tabs.checkpoints"), exact=True))
    with page.expect_download() as started:
        hand.press(page.get_by_role("button", name=said(language, "job:checkpoints.download"), exact=True).first)
    with tarfile.open(started.value.path()) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"state.json", "weights.safetensors"} <= names


def _chat(visit: Visit, language: str, hand: Hand) -> None:
    page = visit.page
    hand.press(page.get_by_role("link", name=said(language, "job:result.chat")))
    hand.write(page.get_by_label(said(language, "playground:composer.label"), exact=True), "پایتخت ایران کجاست؟")
    hand.press(page.get_by_role("button", name=said(language, "playground:composer.send"), exact=True))
    expect(page.locator("article[data-state=done]").first).to_contain_text(f"learnt-{language}")


def _see_the_curve_move(visit: Visit, language: str) -> None:
    """The chart's description tells its last value: it changes while nobody touches anything."""
    described = visit.page.get_by_role("img", name=said(language, "common:metrics.loss")).first
    expect(described).to_be_visible()
    before = described.get_attribute("aria-label")
    assert before is not None
    expect(described).not_to_have_attribute("aria-label", before)
