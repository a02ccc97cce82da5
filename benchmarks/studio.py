"""How smooth the Studio stays in Chromium: a run of 100,000 points and a list of 500 jobs, on a real stack.

Frames are counted by the page itself while somebody scrolls, smooths and zooms; beside them what a display of 60 Hz
shows. Software rendering: no GPU is used.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from playwright.sync_api import Page, sync_playwright

from benchmarks.report import Row
from kargah.db.engine import libpq_url
from kargah.testing.distributed import Distributed, distributed_stack
from kargah.testing.jobs import JobBench, job_bench

_STEPS = 25_000  # times four metrics: 100,000 points
_NAMES = ("loss", "learning_rate", "grad_norm", "tokens_per_second")
_JOBS = 500
_FRAME_MS = 1000 / 60
_SETTINGS = {"worker": {"KARGAH_KINDS": "install"}}
_WATCH = """() => { window.frames_ = []; let last = performance.now();
const tick = (now) => { window.frames_.push(now - last); last = now; window.watching_ = requestAnimationFrame(tick); };
window.watching_ = requestAnimationFrame(tick); }"""
_FRAMES = "() => { cancelAnimationFrame(window.watching_); return window.frames_.slice(1); }"


def rows() -> list[Row]:
    """Until a chart is there, and frames while a chart and a list are used."""
    with (
        distributed_stack(_SETTINGS, without=frozenset({"inference"})) as stack,
        job_bench(stack.dsn_of("gateway")) as bench,
        _page() as page,
    ):
        run = _long_run(stack, bench)
        for number in range(_JOBS):
            bench.submit(f"job {number}")
        return [*_chart(page, f"{stack.url}/studio/jobs/{run}"), _list(page, f"{stack.url}/studio/jobs")]


@contextmanager
def _page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1360, "height": 900})
        page.set_default_timeout(120_000)
        yield page
        browser.close()


def _long_run(stack: Distributed, bench: JobBench) -> str:
    job_id = bench.running(lease_seconds=3600).job_id
    with psycopg.connect(libpq_url(stack.dsn_of("gateway"))) as connection:
        connection.execute(
            "INSERT INTO metrics (job_id, step, name, value, generation) SELECT %s, step, name,"
            " 1 + 3 / sqrt(step) + random() / 5, 1 FROM generate_series(1, %s) step, unnest(%s::text[]) name",
            (job_id, _STEPS, list(_NAMES)),
        )
    return job_id


def _chart(page: Page, url: str) -> list[Row]:
    began = time.perf_counter()
    page.goto(url)
    page.locator("canvas").first.wait_for()
    shown = time.perf_counter() - began
    canvas = page.locator("canvas").first.bounding_box()
    if canvas is None:
        raise RuntimeError("the chart has no place")

    def use() -> None:
        slider = page.get_by_role("slider").first
        for _ in range(20):
            slider.press("ArrowLeft")
        middle = canvas["y"] + canvas["height"] / 2
        for place in range(40):
            page.mouse.move(canvas["x"] + canvas["width"] * (0.2 + place / 80), middle)
        page.mouse.down()
        page.mouse.move(canvas["x"] + canvas["width"] * 0.9, middle, steps=20)
        page.mouse.up()

    note = f"{_STEPS * len(_NAMES):,} points"
    peer = "page of the same address, empty"
    empty = _empty(page, url)
    return [
        Row("studio", "until the curves are there", "s", shown, peer, empty, empty / shown, None, note),
        _frames(page, "frame while smoothing and zooming", use, note),
    ]


def _empty(page: Page, url: str) -> float:
    """Until the heading of a page without anything: what the browser and the files cost."""
    began = time.perf_counter()
    page.goto(url.rpartition("/jobs/")[0] + "/nowhere")
    page.get_by_role("heading", level=1).wait_for()
    seconds = time.perf_counter() - began
    page.goto(url)
    page.locator("canvas").first.wait_for()
    return seconds


def _list(page: Page, url: str) -> Row:
    page.goto(url)
    cards = page.locator("article")
    cards.first.wait_for()
    while (there := cards.count()) < _JOBS:
        page.locator("main button").last.click()
        cards.nth(there).wait_for(state="attached")

    def scroll() -> None:
        for _ in range(60):
            page.mouse.wheel(0, 700)
            page.wait_for_timeout(16)

    return _frames(page, "frame while scrolling", scroll, f"{there} jobs")


def _frames(page: Page, what: str, use: Callable[[], None], note: str) -> Row:
    page.evaluate(_WATCH)
    use()
    found = page.evaluate(_FRAMES)
    median, slow = statistics.median(found), statistics.quantiles(found, n=20)[-1]
    told = f"{note}; median {median:.0f} ms, longest {max(found):.0f} ms, {len(found)} frames"
    return Row("studio", f"{what}, 95th percentile", "ms", slow, "60 Hz", _FRAME_MS, _FRAME_MS / slow, 0.5, told)
