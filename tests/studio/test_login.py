"""Where people must log in: wrong and right passwords, a token that ran out, the way out."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.studio.locked import Locked

_SPOIL = """() => { const session = JSON.parse(localStorage.getItem('kargah.session'));
session.access = session.access.slice(0, -8) + 'AAAAAAAA';
localStorage.setItem('kargah.session', JSON.stringify(session)); }"""


def test_people_log_in_and_out(locked: Locked) -> None:
    with locked.studio.visit("en") as visit:
        page = visit.page
        visit.go("/jobs")
        page.get_by_label("Name").fill("admin")
        page.get_by_label("Password").first.fill("not this one at all")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("alert")).to_contain_text("wrong")
        page.get_by_label("Password").first.fill(locked.password)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Training jobs")).to_be_visible()
        page.evaluate(_SPOIL)  # as if its time were over: the other token gets a new one
        page.reload()
        expect(page.get_by_role("heading", name="Training jobs")).to_be_visible()
        page.get_by_role("button", name="You: admin").click()
        page.get_by_role("menuitem", name="Log out").click()
        expect(page.get_by_role("heading", name="Log in to Kargah")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name="Log in to Kargah")).to_be_visible()
