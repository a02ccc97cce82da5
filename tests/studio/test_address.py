"""What is chosen on a page is in its address, so that a view can be kept and shared."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.studio.texts import said
from tests.studio.visits import Studio


def test_filters_stay_beside_each_other(studio: Studio) -> None:
    with studio.visit("en") as visit:
        page = visit.page
        visit.go("/jobs")
        page.get_by_text(said("en", "jobs:filter.all"), exact=True).click()
        expect(page).to_have_url(re.compile(r"\?kind=all$"))
        page.get_by_label(said("en", "jobs:filter.name"), exact=True).fill("seen")
        expect(page).to_have_url(re.compile(r"\?kind=all&name=seen$"))
        page.reload()
        expect(page.get_by_label(said("en", "jobs:filter.name"), exact=True)).to_have_value("seen")
        expect(page).to_have_url(re.compile(r"\?kind=all&name=seen$"))
