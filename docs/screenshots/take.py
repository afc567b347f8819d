"""Takes pictures of the demo as people see it in Chromium: those of the README, and every main page to look at.

make screenshots                   the README's into docs/screenshots/, the main pages into var/screenshots/en/
make screenshots ARGS="de fr"      the main pages in these languages, into a folder each
make screenshots ARGS="--rtl en"   the main pages mirrored, as where one writes from right to left

Each main page is taken light and dark, at 1280 and at 360 CSS pixels; `index.html` in its folder shows all of them.
"""

import argparse
import os
import re
import shutil
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import Demo, folder_for_a_demo
from tests.browser.launching import a_browser

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent.parent
LOOKED_AT = PROJECT / "var" / "screenshots"
LANGUAGES = ["en", *sorted(folder.name for folder in (PROJECT / "locale").iterdir() if folder.is_dir())]
README_SIZE = {"width": 1200, "height": 860}
WIDTHS = {1280: 800, 360: 780}  # CSS pixels: width and height of the window; the picture is as long as the page
SCHEMES = ("light", "dark")
LONG = 86400  # seconds: a directory that is as far behind shows no deed as proved while pictures are taken
MIRROR = "new MutationObserver(() => document.documentElement.dir = 'rtl').observe(document, {childList: true})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="make screenshots")
    parser.add_argument("languages", nargs="*", metavar="language", choices=[*LANGUAGES, []], help=" ".join(LANGUAGES))
    parser.add_argument("--rtl", action="store_true", help="mirrored")
    asked = parser.parse_args()
    with folder_for_a_demo() as folder:
        demo = Demo(folder).start()
        try:
            with a_browser() as browser:
                if not asked.languages:
                    take_for_the_readme(browser, demo)
                for language in asked.languages or ["en"]:
                    MainPages(browser, demo, language, mirrored=asked.rtl).take()
        finally:
            demo.stop()


def person(browser: Browser, demo: Demo, name: str, **looks) -> Page:
    """A browser of this person's own, signed in. Whatever its language: the pretend Microsoft speaks English alone."""
    return signed_in(browser.new_context(reduced_motion="reduce", **looks), demo, name)


def signed_in(context: BrowserContext, demo: Demo, name: str) -> Page:
    page = context.new_page()
    page.goto(demo.portal_url)
    page.locator("main form button").first.click()
    page.get_by_role("button", name=name).click()
    page.wait_for_url(f"{demo.portal_url}/**")
    return page


# --- for the README ---------------------------------------------------------------------------------------------------


def take_for_the_readme(browser: Browser, demo: Demo) -> None:
    def visitor(name: str, scheme: str) -> Page:
        return person(browser, demo, name, color_scheme=scheme, viewport=README_SIZE, locale="en-GB")

    def take(page: Page, name: str) -> None:
        save(page, HERE / f"{name}.png")

    adele, megan = visitor("Adele Vance", "light"), visitor("Megan Bowen", "light")
    take(adele, "my-apps-light")
    megan.goto(f"{demo.portal_url}/t/contoso/apps/")
    take(megan, "apps-light")

    isaiah, henrietta = visitor("Isaiah Langer", "dark"), visitor("Henrietta Mueller", "dark")
    isaiah.goto(f"{demo.portal_url}/t/contoso/apps/")
    isaiah.get_by_role("link", name="Mail Sidekick").first.click()
    take(isaiah, "app-dark")
    henrietta.goto(f"{demo.portal_url}/t/contoso/people/?q=pradeep")
    sign_out(henrietta, "Pradeep Gupta")
    expect(henrietta.get_by_role("main")).to_contain_text("Done, and proved", timeout=60_000)
    take(henrietta, "sign-out-dark")
    for page in (adele, megan, isaiah, henrietta):
        page.context.close()


def sign_out(page: Page, name: str) -> None:
    """From the person's row to the running request, in any language."""
    page.get_by_role("link", name=name).click()
    page.locator("a.button[href$='/sign-out/']").click()
    page.get_by_role("dialog").locator("[name=reason]").fill("Laptop stolen on the train")
    page.get_by_role("dialog").locator("button.danger").click()
    page.wait_for_url("**/revocations/*/")


def save(page: Page, path: Path, whole: bool = False) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=path, full_page=whole)
    print(os.path.relpath(path))


# --- the main pages, to look at one by one ----------------------------------------------------------------------------


class MainPages:
    """The main pages in one language, each as the person sees it who works there."""

    def __init__(self, browser: Browser, demo: Demo, language: str, mirrored: bool = False) -> None:
        self.browser, self.demo, self.language, self.mirrored = browser, demo, language, mirrored
        self.folder = LOOKED_AT / (f"{language}-rtl" if mirrored else language)
        self.taken: list[str] = []

    def take(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self._of_everyone(self._person("Adele Vance"))
        self._of_the_workspace(self._person("Megan Bowen"))
        self._index()

    def _person(self, name: str) -> Page:
        context = self.browser.new_context(locale=self.language, reduced_motion="reduce")
        if self.mirrored:
            context.add_init_script(MIRROR)
        return signed_in(context, self.demo, name)

    def _open(self, page: Page, path: str, name: str) -> None:
        page.goto(self.demo.portal_url + path)
        self._look(page, name)

    def _of_everyone(self, adele: Page) -> None:
        self._open(adele, "/", "my-apps")
        app = adele.get_by_role("link", name="Mail Sidekick", exact=True).get_attribute("href")
        self._open(adele, app, "one-of-my-apps")
        adele.locator("main a.button.danger").first.click()
        adele.locator("dialog[open] button").first.wait_for()
        self._look(adele, "remove-dialog", whole=False)
        self._open(adele, "/activity/", "my-activity")
        self._open(adele, "/sign-out-everywhere/", "sign-out")
        self._report(adele, "Litware Timesheets")

    def _report(self, page: Page, app: str) -> None:
        """So that something waits in the inbox. What was reported for another language still is."""
        page.goto(self.demo.portal_url + "/")
        page.get_by_role("link", name=app, exact=True).click()
        if (button := page.locator("form.report button").first).count():
            button.click()

    def _of_the_workspace(self, megan: Page) -> None:
        self._open(megan, "/t/contoso/", "overview")
        self._open(megan, "/t/contoso/apps/", "apps")
        app = megan.get_by_role("link", name="Mail Sidekick", exact=True).get_attribute("href")
        self._open(megan, app, "app")
        self._open(megan, "/t/contoso/permissions/", "permissions")
        self._open(megan, "/t/contoso/people/", "people")
        self._open(megan, "/t/contoso/people/?q=miriam", "people-found")
        self.demo.sandbox.lag(seconds=LONG)
        sign_out(megan, "Miriam Graham")
        expect(megan.locator("main")).to_contain_text(re.compile(r"\d\d:\d\d"))
        self._look(megan, "revocation")
        person = megan.locator("main a[href*='/people/']").first.get_attribute("href")
        self.demo.sandbox.lag(seconds=0)
        self._open(megan, person, "person")
        self._open(megan, "/t/contoso/audit/", "audit")
        self._open(megan, "/t/contoso/inbox/", "inbox")

    def _look(self, page: Page, name: str, whole: bool = True) -> None:
        """One page in every look. It is opened once: what it shows may change, its width and colours alone do here."""
        self.taken.append(name)
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                save(page, self.folder / f"{name}-{width}-{scheme}.png", whole)
        page.set_viewport_size({"width": 1280, "height": WIDTHS[1280]})
        page.emulate_media(color_scheme="light")

    def _index(self) -> None:
        """All of them on one page: a row a page, its four looks beside one another."""
        rows = [
            f"<h2>{name}</h2>"
            + "".join(f'<img src="{name}-{width}-{scheme}.png">' for width in WIDTHS for scheme in SCHEMES)
            for name in self.taken
        ]
        style = "body { font: 16px system-ui } img { width: 24%; vertical-align: top; outline: 1px solid gray }"
        page = f'<!doctype html><meta charset="utf-8"><title>{self.folder.name}</title><style>{style}</style>'
        (self.folder / "index.html").write_text(page + "\n".join(rows) + "\n", encoding="utf-8")
        print(os.path.relpath(self.folder / "index.html"))


if __name__ == "__main__":
    main()
