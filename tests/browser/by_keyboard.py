"""Working without a mouse: what cannot be reached by Tab from where one is cannot be used."""

from playwright.sync_api import Locator, Page, expect

MOST_TABS = 150  # from one thing on a page to any other
IS_FOCUSED = "element => element === document.activeElement"


def reach(page: Page, what: Locator) -> None:
    """Tab on until it has the focus, as one does who cannot see where else it is."""
    expect(what).to_be_visible()
    for _ in range(MOST_TABS):
        if what.evaluate(IS_FOCUSED):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{what} was not reached in {MOST_TABS} tabs")


def press(page: Page, what: Locator, key: str = "Enter") -> None:
    """Reach it and use it; a box is ticked by "Space"."""
    reach(page, what)
    page.keyboard.press(key)


def write(page: Page, where: Locator, text: str) -> None:
    reach(page, where)
    page.keyboard.type(text)
