"""A training again: on the versions that it had, or further. What is asked of a job is seen before it is answered."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.commands import PERSIAN_QA
from tests.studio.texts import said
from tests.studio.visits import Studio
from worker.testing.tiny_models import tiny_llama

_NAME = "دوباره"


@pytest.fixture(scope="module")
def trained(studio: Studio, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The id of a training of ten steps on the first of two versions of its model and of its dataset."""
    folder = tmp_path_factory.mktemp("again")
    rows = folder / "rows.jsonl"
    rows.write_text("".join(PERSIAN_QA.read_text(encoding="utf-8").splitlines(keepends=True)[:40]), encoding="utf-8")
    studio.kargah.run("model", "install", str(tiny_llama(folder / "llama")), "--name", "again-base")
    studio.kargah.run("dataset", "upload", str(rows), "--name", "again-rows")
    arguments = ["-m", "again-base", "-d", "again-rows", "--max-steps", "10", "--name", _NAME, "-o", "again-made"]
    studio.kargah.run("train", *arguments)
    studio.kargah.run("model", "install", str(tiny_llama(folder / "larger", context=128)), "--name", "again-base")
    studio.kargah.run("dataset", "upload", str(PERSIAN_QA), "--name", "again-rows")
    return str(studio.kargah.json("jobs", "last")["id"])


def _choose(page: Page, language: str, name: str, action: str) -> None:
    page.get_by_role("button", name=said(language, "common:controls.actions").replace("{{name}}", name)).click()
    page.get_by_role("menuitem", name=said(language, f"common:controls.{action}"), exact=True).click()


def test_it_is_trained_further_for_as_long_as_one_says(studio: Studio, trained: str) -> None:
    with studio.visit("fa") as visit:
        page = visit.page
        visit.go(f"/jobs?name={_NAME}")
        _choose(page, "fa", _NAME, "extend")
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_label(said("fa", "job:extend.name"))).to_have_value(f"{_NAME} (2)")
        steps = dialog.get_by_label(said("fa", "job:extend.steps"))
        expect(steps).to_have_value("۱۰")
        submit = dialog.get_by_role("button", name=said("fa", "job:extend.submit"), exact=True)
        steps.fill("۹۹۹۹")
        expect(submit).to_be_disabled()
        steps.fill("۵")
        submit.click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{_NAME} (2)")
        expect(page.locator("[data-status=completed]")).to_be_visible()
    made = studio.kargah.json("jobs", "last")
    assert (made["config"]["start"]["jobId"], made["progress"]["totalSteps"]) == (trained, 15)


def test_a_training_like_another_is_on_its_versions(studio: Studio, trained: str) -> None:
    with studio.visit("en") as visit:
        page = visit.page
        visit.go(f"/jobs/{trained}")
        _choose(page, "en", _NAME, "like")
        model = page.get_by_role("combobox", name=said("en", "new:model.label"))
        rows = page.get_by_role("combobox", name=said("en", "new:dataset.label"))
        expect(model).to_have_value("again-base@1")
        expect(rows).to_have_value("again-rows@1")
        page.get_by_role("button", name=said("en", "new:version.take").replace("{{newest}}", "2")).first.click()
        expect(model).to_have_value("again-base")
        expect(page.get_by_role("button", name=said("en", "new:start"), exact=True)).to_be_enabled()
        studio.kargah.run("dataset", "delete", "again-rows@1", "--yes")
        page.reload()
        gone = said("en", "new:version.gone").replace("{{version}}", "1").replace("{{newest}}", "2")
        expect(page.get_by_text(gone)).to_be_visible()
        expect(rows).to_have_value("again-rows")


@pytest.mark.parametrize("served", [True, False])
def test_what_is_asked_shows_before_it_is_answered(studio: Studio, served: bool) -> None:
    arguments = ["-m", "tiny-llama", "-d", "persian-qa", "--epochs", "60", "--name", f"asked {served}", "-o", "asked"]
    studio.kargah.run("train", *arguments, "--detach")
    held: list[Route] = []
    with studio.visit("en") as visit:
        page = visit.page
        visit.go(f"/jobs?name=asked {served}")
        training = page.locator("[data-status=training]")
        expect(training).to_be_visible()
        page.route("**/pause", lambda route: held.append(route))
        page.get_by_role("button", name=said("en", "common:controls.pause"), exact=True).click()
        expect(training).to_contain_text(said("en", "common:wish.pause"))
        if served:
            held[0].continue_()
            expect(page.locator("[data-status=paused]")).to_be_visible()
        else:
            held[0].fulfill(status=503, json={"code": "busy", "detail": "Not now."})
            expect(training).not_to_contain_text(said("en", "common:wish.pause"))
    studio.kargah.run("cancel", "last")
