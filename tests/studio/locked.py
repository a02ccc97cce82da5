"""A stack where people must log in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from playwright.sync_api import Page, expect

from kargah.embedded.ports import free_port
from kargah.testing.servers.folder import server_folder
from tests.e2e.commands import PERSIAN_QA, Kargah
from tests.studio.texts import said
from tests.studio.visits import Studio, Visit

_PASSWORD = "three-words-and-more"


@dataclass(frozen=True)
class Locked:
    """A stack with the dataset `qa`, where `vera` may look and `tom` may train; `password` is the first admin's."""

    studio: Studio
    password: str

    def log_in(self, visit: Visit, name: str, language: str) -> Page:
        """As `vera` or `tom`, on the first page."""
        visit.go("/")
        return logged_in(visit.page, name, language)


def logged_in(page: Page, name: str, language: str) -> Page:
    """The same from the form that is there."""
    page.get_by_label(said(language, "common:login.name")).fill(name)
    page.get_by_label(said(language, "common:login.password")).first.fill(_PASSWORD)
    page.get_by_role("button", name=said(language, "common:login.submit"), exact=True).click()
    expect(page.get_by_role("heading", name=said(language, "dashboard:title"))).to_be_visible()
    return page


@contextmanager
def locked_stack() -> Iterator[tuple[Kargah, str]]:
    """Its command line, and the first admin's password."""
    with server_folder() as data:
        kargah = Kargah(f"http://127.0.0.1:{free_port()}")
        kargah.run("up", "--auth", "--detach", "--data", str(data), "--port", kargah.url.rpartition(":")[2])
        try:
            password = (data / "secrets" / "first-admin").read_text().strip()
            with httpx.Client(base_url=kargah.url, timeout=60) as http:
                token = http.post("/api/auth/login", json={"name": "admin", "password": password}).json()
                http.headers["authorization"] = f"Bearer {token['accessToken']}"
                _fill(http)
            yield kargah, password
        finally:
            kargah.run("down", "--data", str(data))


def _fill(http: httpx.Client) -> None:
    for name, role in (("vera", "viewer"), ("tom", "trainer")):
        made = {"name": name, "password": _PASSWORD, "project": "local", "role": role}
        http.post("/api/users", json=made).raise_for_status()
    rows = {"filename": PERSIAN_QA.name}
    http.put("/api/datasets/qa/content", params=rows, content=PERSIAN_QA.read_bytes()).raise_for_status()
