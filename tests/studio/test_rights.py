"""Where people must log in: what a role may not do is off and says why; who has left leaves nothing behind."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.studio.locked import Locked, logged_in
from tests.studio.texts import said

_OFF = "aria-disabled"


def _is_off(button: Locator, reason: str) -> None:
    expect(button).to_have_attribute(_OFF, "true")
    expect(button).to_have_attribute("aria-description", reason)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_what_a_viewer_may_not_do_is_off_and_says_why(locked: Locked, language: str) -> None:
    with locked.studio.visit(language) as visit:
        page = locked.log_in(visit, "vera", language)
        role = said(language, "common:roles.viewer")
        reason = said(language, "common:mayNot.reason").replace("{{project}}", "local").replace("{{role}}", role)
        expect(page.get_by_text(said(language, "common:mayNot.short"), exact=True)).to_be_visible()
        visit.go("/datasets")
        choose = page.get_by_role("button", name=said(language, "datasets:upload.choose"), exact=True).first
        _is_off(choose, reason)
        choose.focus()
        expect(page.get_by_role("tooltip")).to_have_text(reason)
        page.get_by_role("button", name=said(language, "datasets:import.open"), exact=True).click(force=True)
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("button", name=said(language, "datasets:actions").replace("{{name}}", "qa")).click()
        expect(page.get_by_role("menuitem", disabled=True)).to_have_count(2)
        visit.go("/models")
        _is_off(page.get_by_role("button", name=said(language, "models:install.open"), exact=True), reason)
        visit.go("/new")
        start = page.get_by_role("button", name=said(language, "new:start"), exact=True)
        _is_off(start, reason)
        visit.go("/playground")
        expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_a_trainer_may_do_what_a_viewer_may_not(locked: Locked) -> None:
    with locked.studio.visit("en") as visit:
        page = locked.log_in(visit, "tom", "en")
        expect(page.get_by_text(said("en", "common:mayNot.short"), exact=True)).to_have_count(0)
        visit.go("/datasets")
        page.get_by_role("button", name=said("en", "datasets:import.open"), exact=True).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        expect(page.locator(f"[{_OFF}=true]")).to_have_count(0)


def test_a_page_outlives_a_gateway_that_is_away(locked: Locked) -> None:
    with locked.studio.visit("en") as visit:
        visit.page.clock.install()
        page = locked.log_in(visit, "tom", "en")
        page.get_by_role("link", name=said("en", "common:nav.datasets"), exact=True).click()
        search = page.get_by_label(said("en", "datasets:search"))
        search.fill("not lost")
        page.route("**/api/auth/whoami", lambda route: route.abort())
        with page.expect_event("requestfailed", lambda request: "whoami" in request.url):
            page.clock.fast_forward(61_000)
            page.evaluate("window.dispatchEvent(new Event('visibilitychange'))")
        for _ in range(8):
            page.clock.fast_forward(5_000)
            page.wait_for_timeout(200)
        expect(search).to_have_value("not lost")
        page.unroute("**/api/auth/whoami")


def test_who_logs_out_leaves_nothing_in_any_tab(locked: Locked) -> None:
    with locked.studio.visit("en") as visit:
        page = locked.log_in(visit, "tom", "en")
        other = page.context.new_page()
        other.goto(f"{visit.url}/studio/datasets")
        expect(other.get_by_role("link", name="qa")).to_be_visible()
        for tab in (page, other):
            tab.evaluate("sessionStorage.setItem('kargah.playground', '[]')")
        page.get_by_role("button", name=said("en", "common:person.label").replace("{{name}}", "tom")).click()
        page.get_by_role("menuitem", name=said("en", "common:person.logout")).click()
        for tab in (page, other):
            expect(tab.get_by_role("heading", name=said("en", "common:login.title"))).to_be_visible()
            assert tab.evaluate("[sessionStorage.length, localStorage.getItem('kargah.session')]") == [0, None]
        logged_in(page, "vera", "en")
        expect(other.get_by_role("heading", name=said("en", "datasets:title"), level=1)).to_be_visible()
        expect(other.get_by_role("button", name="You: vera")).to_be_visible()
