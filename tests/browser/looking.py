"""Looking at a page as axe-core does, in light and in dark."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
# What the scheme can change: the same page in dark differs in its colours only.
COLOURS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}


# CSS pixels: telephones, tablets both ways, a window beside another, and 1280 at 100, 125 and 400 %.
WIDTHS = (320, 360, 768, 800, 900, 1024, 1100, 1280)


def bring_axe(context: BrowserContext) -> None:
    """Every page of this context gets axe-core as it opens: sent once, not with every question."""
    context.add_init_script(AXE_SCRIPT)


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page as it stands. It is left in light."""
    found = _violations(page, RULES)
    page.emulate_media(color_scheme="dark")
    found += [f"in dark: {fault}" for fault in _violations(page, COLOURS)]
    page.emulate_media(color_scheme="light")
    if _scrolls_sideways(page):
        found.append("scrolls sideways")
    dialog = page.locator("dialog[open]")  # what is behind it is hidden from everybody
    headings = (dialog if dialog.count() else page).locator("h1").count()
    if headings != 1:
        found.append(f"has {headings} first headings")
    return found


def too_wide(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """The widths at which the page as it stands scrolls sideways. It is left at the width it had."""
    before = page.viewport_size
    found = []
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        if _scrolls_sideways(page):
            found.append(f"scrolls sideways at {width}")
    page.set_viewport_size(before)
    return found


def _scrolls_sideways(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")


def _violations(page: Page, rules: dict) -> list[str]:
    violations = page.evaluate("rules => axe.run(document, rules).then(found => found.violations)", rules)
    return [
        f"{one['id']}: {one['help']}: {' | '.join(str(node['target']) for node in one['nodes'][:3])}"
        for one in violations
    ]
