"""The two ways to use a page: with a mouse, and with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from playwright.sync_api import Locator, Page, expect

_MOST_STOPS = 150  # of a page, to which Tab goes one after another
_MOST_ENTRIES = 20
_HAS_FOCUS = "element => element === document.activeElement"


class Hand(Protocol):
    """What people do on a page."""

    def press(self, button: Locator) -> None:
        """A button or a link."""

    def write(self, field: Locator, text: str) -> None:
        """In the place of what stands there."""

    def choose(self, field: Locator, name: str) -> None:
        """One of the entries that a field offers."""

    def turn_to(self, tab: Locator) -> None:
        """One of several tabs."""

    def take(self, entry: Locator) -> None:
        """An entry of the menu that is open."""


class Mouse:
    """Clicks."""

    def press(self, button: Locator) -> None:
        button.click()

    def write(self, field: Locator, text: str) -> None:
        field.fill(text)

    def choose(self, field: Locator, name: str) -> None:
        field.click()
        field.page.get_by_role("option", name=name).click()

    def turn_to(self, tab: Locator) -> None:
        tab.click()

    def take(self, entry: Locator) -> None:
        entry.click()


class Keys:
    """Tab from one stop to the next, arrows within lists and tabs, Enter."""

    def press(self, button: Locator) -> None:
        _go_to(button)
        button.page.keyboard.press("Enter")

    def write(self, field: Locator, text: str) -> None:
        _go_to(field)
        keyboard = field.page.keyboard
        keyboard.press("Control+a")
        keyboard.type(text)

    def choose(self, field: Locator, name: str) -> None:
        self.write(field, name)
        chosen = field.page.locator("[role=option][data-combobox-selected]").filter(has_text=name)
        _press_until(field.page, "ArrowDown", chosen.is_visible, _MOST_ENTRIES)
        field.page.keyboard.press("Enter")

    def turn_to(self, tab: Locator) -> None:
        _go_to(tab.page.get_by_role("tablist").filter(has=tab).get_by_role("tab", selected=True))
        _press_until(tab.page, "ArrowLeft", lambda: _has_focus(tab), _MOST_ENTRIES)
        expect(tab).to_have_attribute("aria-selected", "true")

    def take(self, entry: Locator) -> None:
        expect(entry).to_be_visible()
        _press_until(entry.page, "ArrowDown", lambda: _has_focus(entry), _MOST_ENTRIES)
        entry.page.keyboard.press("Enter")


def _go_to(stop: Locator) -> None:
    expect(stop).to_be_enabled()
    _press_until(stop.page, "Tab", lambda: _has_focus(stop), _MOST_STOPS)


def _has_focus(element: Locator) -> bool:
    found: bool = element.evaluate(_HAS_FOCUS)
    return found


def _press_until(page: Page, key: str, reached: Callable[[], bool], most: int) -> None:
    for _ in range(most):
        if reached():
            return
        page.keyboard.press(key)
        page.wait_for_timeout(10)
    raise AssertionError(f"not reached by pressing {key} {most} times on {page.url}")
