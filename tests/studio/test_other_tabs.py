"""What reaches a page from outside: choices in another tab, a link to a row that is not there, the way being lost."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.studio.texts import said
from tests.studio.visits import Studio


def test_a_choice_in_one_tab_holds_in_the_other(studio: Studio) -> None:
    with studio.visit("en") as visit:
        other = visit.page.context.new_page()
        other.goto(f"{visit.url}/studio/settings")
        visit.go("/settings")
        expect(other.locator("html")).to_have_attribute("dir", "ltr")
        visit.page.get_by_text("فارسی", exact=True).last.click()
        expect(other.locator("html")).to_have_attribute("dir", "rtl")


def test_a_link_beyond_the_rows_leads_to_the_last(studio: Studio) -> None:
    with studio.visit("en") as visit:
        visit.go("/datasets/persian-qa#rows:99999")
        expect(visit.page.get_by_label(said("en", "dataset:rows.from"))).to_have_value("371")
        expect(visit.page.get_by_text(said("en", "dataset:rows.number").replace("{{number}}", "371"))).to_be_visible()


def test_without_a_way_it_is_said_so_and_what_was_asked_comes_once_there_is_one(studio: Studio) -> None:
    with studio.visit("en") as visit:
        page = visit.page
        visit.go("/datasets")
        expect(page.get_by_role("link", name="persian-qa")).to_be_visible()
        page.context.set_offline(True)
        page.get_by_label(said("en", "datasets:search"), exact=True).fill("persian")
        expect(page.get_by_role("alert")).to_be_visible()
        page.context.set_offline(False)
        expect(page.get_by_role("link", name="persian-qa")).to_be_visible()
