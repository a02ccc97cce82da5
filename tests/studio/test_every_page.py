"""What holds for every page, in both languages, light and dark: no violation that axe finds, and nothing too wide."""

from __future__ import annotations

import gzip
import json

import pytest
from playwright.sync_api import Response

from tests.studio.visits import Studio, Visit

PAGES = [
    "/",
    "/jobs",
    "/new?model=tiny-llama&dataset=persian-qa",
    "/compare",
    "/datasets",
    "/datasets/persian-qa",
    "/models",
    "/models/tiny-llama",
    "/hub",
    "/playground",
    "/settings",
    "/nowhere",
]
_JOB_TABS = ["curves", "log", "timeline", "checkpoints", "samples", "config"]
_OTHER_TABS = [f"/datasets/persian-qa#{tab}" for tab in ("statistics", "warnings", "tokens", "versions")] + [
    f"/models/seen#{tab}" for tab in ("overview", "card", "files", "versions")
]
_BUDGET_BYTES = 300_000
# Until nothing moves: half-way from one colour to another, a text stands out too little. What turns for ever may.
_STILL = """async () => {
    const moving = () => document.getAnimations().filter(
        (each) => each.playState === 'running' && each.effect.getComputedTiming().endTime !== Infinity)
    for (let some = moving(); some.length > 0; some = moving())
        await Promise.allSettled(some.map((each) => each.finished))
}"""
_RUN = """async (rules) => (await axe.run(document, {resultTypes: ['violations'], ...rules})).violations.map(
    (found) => `${found.id}: ${found.nodes.map((node) => node.target.join(' ')).join(', ')}`)"""
# One language in `make test`: a sweep takes most of a minute, and what axe looks for hardly depends on the words.
_LANGUAGES = ["fa", pytest.param("en", marks=pytest.mark.campaign)]
_ALL: dict[str, object] = {}
_OF_COLOUR: dict[str, object] = {"runOnly": ["color-contrast", "link-in-text-block"]}


@pytest.mark.parametrize("language", _LANGUAGES)
def test_nobody_is_left_out(studio: Studio, axe: str, language: str) -> None:
    with studio.visit(language) as visit:
        found = {path: _violations(visit, path, axe) for path in PAGES}
    assert {path: some for path, some in found.items() if some} == {}


@pytest.fixture(scope="module")
def trained(studio: Studio) -> str:
    """The address of a job that has ended, with all that a job can show."""
    arguments = (
        "-m",
        "tiny-llama",
        "-d",
        "persian-qa",
        "--max-steps",
        "10",
        "--name",
        "seen",
        "-o",
        "seen",
        "--detach",
    )
    job = studio.kargah.json("train", *arguments)
    studio.kargah.run("logs", "--follow", job["id"])
    return f"/jobs/{job['id']}"


@pytest.mark.campaign
@pytest.mark.parametrize("language", ["fa", "en"])
def test_nobody_is_left_out_behind_a_tab(studio: Studio, axe: str, trained: str, language: str) -> None:
    compared = f"/compare?jobs={trained.rpartition('/')[2]}"
    with studio.visit(language) as visit:
        places = [compared, *(f"{trained}#{tab}" for tab in _JOB_TABS), *_OTHER_TABS]
        found = {place: _violations(visit, place, axe) for place in places}
    assert {place: some for place, some in found.items() if some} == {}


def test_a_phone_shows_every_page_whole(studio: Studio) -> None:
    with studio.visit(width=390) as visit:
        for path in PAGES:
            _settle(visit, path)
            wide = visit.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= 390, f"{path} is {wide} pixels wide"


def test_the_first_page_is_light(studio: Studio) -> None:
    sizes: dict[str, int] = {}
    with studio.visit() as visit:
        visit.page.on("response", lambda answer: sizes.update(_script(answer)))
        _settle(visit, "/")
    assert sizes, "no script was seen"
    assert sum(sizes.values()) < _BUDGET_BYTES, json.dumps(sizes)


def _script(answer: Response) -> dict[str, int]:
    """Its size as a proxy sends it, packed."""
    return {answer.url: len(gzip.compress(answer.body()))} if answer.request.resource_type == "script" else {}


def _violations(visit: Visit, path: str, axe: str) -> list[str]:
    """In light, then what hangs on colours in dark: the Studio follows the device."""
    visit.page.emulate_media(color_scheme="light")  # before it loads: then there is nothing to change from
    _settle(visit, path)
    if not visit.page.evaluate("'axe' in window"):  # as it is behind the next tab of one page
        visit.page.evaluate(axe)
    found = []
    for scheme, rules in (("light", _ALL), ("dark", _OF_COLOUR)):
        visit.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        visit.page.locator(f"html[data-mantine-color-scheme={scheme}]").wait_for()
        visit.page.evaluate(_STILL)
        found += [f"{scheme}: {one}" for one in _lasting(visit, rules)]
    return found


def _lasting(visit: Visit, rules: dict[str, object]) -> list[str]:
    """What axe finds, and finds again two seconds later: the page may have been about to be drawn."""
    found: list[str] = visit.page.evaluate(_RUN, rules)
    if found:
        visit.page.wait_for_timeout(2000)
        found = visit.page.evaluate(_RUN, rules)
    return found


def _settle(visit: Visit, path: str) -> None:
    visit.go(path)
    visit.page.get_by_role("heading", level=1).first.wait_for()
    visit.page.wait_for_load_state("networkidle")
