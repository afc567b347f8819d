"""Looking at a page as axe-core does: in light and in dark, as wide as a desk and as a telephone, and mirrored."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOURS = ["color-contrast", "link-in-text-block"]
RULES = {"resultTypes": ["violations"], "runOnly": TAGS, "rules": {rule: {"enabled": False} for rule in OF_COLOURS}}
COLOURS = {"resultTypes": ["violations"], "runOnly": {"type": "rule", "values": OF_COLOURS}}

# CSS pixels: telephones, tablets both ways, a window beside another, and 1280 at 100, 125 and 400 %.
WIDTHS = (320, 360, 768, 800, 900, 1024, 1100, 1280)
TELEPHONE = {"width": 360, "height": 740}

# Contrast is four fifths of what axe costs, and a page of a list is a hundred rows in the same colours. A text's
# colours come from the stylesheets by its tags, classes and attributes, and by those of what it stands in: each such
# path is judged once in a run, wherever it comes first. Keeps them by their paths, and answers how many there are.
NEW_TEXTS = """judged => {
    const known = new Set(judged);
    const sheets = [...document.styleSheets].flatMap(sheet => [...sheet.cssRules]).map(rule => rule.cssText).join();
    const selected = new Set([...sheets.matchAll(/\\[([a-z-]+)/g)].map(match => match[1]).concat("class", "style"));
    const own = new Map();
    const path = node => {
        if (!own.has(node)) {
            const parts = [...node.attributes].map(({name, value}) => selected.has(name) ? `${name}=${value}` : name);
            own.set(node, `${node.parentElement ? path(node.parentElement) : ""}/${node.tagName} ${parts.sort()}`);
        }
        return own.get(node);
    };
    const hash = text => [...text].reduce((sum, one) => (sum * 33 + one.codePointAt()) % 9007199254740881, 5381);
    const within = document.querySelector("dialog[open]") ?? document.body;  // the rest is behind it
    window.newTexts = new Map();
    for (const node of within.querySelectorAll("*")) {
        const speaks = node.matches("input, select, textarea")
            || [...node.childNodes].some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
        if (!speaks || !node.checkVisibility({visibilityProperty: true})) continue;
        const mark = hash(path(node));
        if (known.has(mark)) continue;
        known.add(mark);
        window.newTexts.set(mark, node);
    }
    return window.newTexts.size;
}"""
# What was not replaced meanwhile: a part of a page may be on its way.
STILL_THERE = "[...window.newTexts].filter(([mark, node]) => node.isConnected)"

_judged: dict[bool, set[int]] = {True: set(), False: set()}  # paths of texts, on telephones and on wider windows


def bring_axe(context: BrowserContext) -> None:
    """Every page of this context gets axe-core as it opens: sent once, not with every question."""
    context.add_init_script(AXE_SCRIPT)


def faults_of(page: Page) -> list[str]:
    """What is wrong with the page as it stands. It is left in light."""
    found = _violations(page, RULES) + _faults_of_colours(page)
    if _scrolls_sideways(page):
        found.append("scrolls sideways")
    dialog = page.locator("dialog[open]")  # what is behind it is hidden from everybody
    headings = (dialog if dialog.count() else page).locator("h1").count()
    if headings != 1:
        found.append(f"has {headings} first headings")
    return found


def faults_on_a_telephone(page: Page) -> list[str]:
    """The same at the width of a telephone, where lists are cards and menus fold. It is left at the width it had."""
    before = page.viewport_size
    page.set_viewport_size(TELEPHONE)
    found = [f"on a telephone: {fault}" for fault in _violations(page, RULES) + _faults_of_colours(page)]
    page.set_viewport_size(before)
    return found


def faults_mirrored(page: Page, widths: tuple[int, ...] = (WIDTHS[0], WIDTHS[-1])) -> list[str]:
    """What is wrong where people read from right to left. It is left as it was."""
    page.evaluate("document.documentElement.dir = 'rtl'")
    found = [f"mirrored: {fault}" for fault in _violations(page, RULES) + too_wide(page, widths)]
    page.evaluate("document.documentElement.removeAttribute('dir')")
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


def _faults_of_colours(page: Page) -> list[str]:
    judged = _judged[page.viewport_size["width"] < WIDTHS[2]]
    if not page.evaluate(NEW_TEXTS, list(judged)):
        return []
    texts = f"{STILL_THERE}.map(([mark, node]) => node)"
    found = _violations(page, COLOURS, texts)
    page.emulate_media(color_scheme="dark")
    found += [f"in dark: {fault}" for fault in _violations(page, COLOURS, texts)]
    page.emulate_media(color_scheme="light")
    judged.update(page.evaluate(f"{STILL_THERE}.map(([mark]) => mark)"))
    return found


def _violations(page: Page, rules: dict, within: str = "[document]") -> list[str]:
    """What axe finds in these nodes; nothing where there are none."""
    violations = page.evaluate(
        f"""async rules => {{
            const within = {within};
            return within.length ? (await axe.run(within, rules)).violations : [];
        }}""",
        rules,
    )
    return [
        f"{one['id']}: {one['help']}: {' | '.join(str(node['target']) for node in one['nodes'][:3])}"
        for one in violations
    ]
