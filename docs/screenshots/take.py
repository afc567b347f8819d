"""Takes the pictures of the README: the demo, four people's work, Chromium.

make screenshots
"""

import os
import re
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import Demo, Visitor, folder_for_a_demo

HERE = Path(__file__).resolve().parent
SIZE = {"width": 1200, "height": 860}


def main() -> None:
    with folder_for_a_demo() as folder:
        demo = Demo(folder).start()
        try:
            with sync_playwright() as playwright:
                program = os.environ.get("CHROMIUM") or shutil.which("chromium")
                options = ["--no-sandbox"] if os.geteuid() == 0 else []
                browser = playwright.chromium.launch(executable_path=program, args=options)
                take_all(browser, demo)
                browser.close()
        finally:
            demo.stop()


def take_all(browser: Browser, demo: Demo) -> None:
    adele = person(browser, demo, "Adele Vance", "light")
    take(adele.open("/"), "my-apps-light")
    adele.page.get_by_role("link", name="Remove Mail Sidekick").click()
    take(adele.page, "remove-light")

    megan = person(browser, demo, "Megan Bowen", "light")
    take(megan.open("/t/contoso/apps/"), "apps-light")
    take(megan.open("/t/contoso/"), "overview-light")

    isaiah = person(browser, demo, "Isaiah Langer", "dark")
    isaiah.open("/t/contoso/apps/").get_by_role("link", name="Mail Sidekick").first.click()
    take(isaiah.page, "app-dark")

    henrietta = person(browser, demo, "Henrietta Mueller", "dark")
    sign_out(henrietta.open("/t/contoso/people/?q=pradeep"), "Pradeep Gupta")
    take(henrietta.page, "sign-out-dark")


def person(browser: Browser, demo: Demo, name: str, scheme: str) -> Visitor:
    context = browser.new_context(color_scheme=scheme, viewport=SIZE, locale="en-GB", reduced_motion="reduce")
    return Visitor(context, demo, name).sign_in()


def sign_out(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).click()
    page.get_by_role("link", name=f"Sign out {name} everywhere").click()
    page.get_by_role("dialog").get_by_label(re.compile("Reason")).fill("Laptop stolen on the train")
    page.get_by_role("dialog").get_by_role("button", name=f"Sign out {name} everywhere").click()
    page.wait_for_url("**/revocations/*/")
    expect(page.get_by_role("main")).to_contain_text("Done, and proved", timeout=60_000)


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=HERE / f"{name}.png")
    print(f"docs/screenshots/{name}.png")


if __name__ == "__main__":
    main()
