"""Who can read all mail, and taking out all that match, with a second person: by mouse, and by keyboard alone."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import faults_of, too_wide
from tests.browser.test_three_jobs import SLOWEST_PROOF, follow_until_proved, last_try, use_token_of
from tests.browser.test_with_a_second_person import let_one_person_sign_out_two

MOST_CLICKS = 5


class Clicks:
    """Clicks, counted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, target: Locator) -> None:
        target.click()
        self.count += 1


def is_fine(page: Page) -> None:
    assert faults_of(page) + too_wide(page) == []


def test_from_who_can_read_all_mail_to_a_disabled_app(visitor: Callable):
    admin, click = visitor("Megan Bowen"), Clicks()
    page = admin.open("/t/contoso/")

    click(page.get_by_role("link", name="Permissions"))
    click(page.get_by_role("link", name="Reads everyone's mail"))
    expect(page.get_by_role("region", name="Apps that can")).to_contain_text("with nobody signed in")
    is_fine(page)
    click(page.get_by_role("region", name="Apps that can").get_by_role("link", name="Proseware Backup"))
    click(page.get_by_role("link", name="Disable Proseware Backup"))
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(re.compile("Reason")).fill("Nobody knows what it is for")
    click(dialog.get_by_role("button", name="Disable Proseware Backup"))

    follow_until_proved(page)
    assert click.count <= MOST_CLICKS
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("dialog").get_by_role("button", name="Undo it").click()
    follow_until_proved(page)
    page = admin.open("/t/contoso/apps/?q=backup")
    expect(page.get_by_role("row").filter(has_text="Proseware Backup")).not_to_contain_text("Disabled here")


def test_all_that_match_are_taken_out_with_a_second_persons_yes_and_put_back(visitor: Callable):
    megan, isaiah, holder = visitor("Megan Bowen"), visitor("Isaiah Langer"), "Johanna Lorenz"
    let_one_person_sign_out_two(megan.open("/t/contoso/settings/"))
    app = megan.client_app("mail-sidekick")
    use_token_of(app, holder)
    expect(last_try(app, holder)).to_contain_text("OK")

    page = megan.open("/t/contoso/apps/?fact=spread&publisher=unverified")
    expect(page.get_by_role("row").filter(has_text="Mail Sidekick")).to_be_visible()
    is_fine(page)
    # By keyboard alone: tick all that are shown, then go to the button and press it.
    page.get_by_label("All shown").focus()
    page.keyboard.press("Space")
    expect(page.locator("#chosen")).to_contain_text(re.compile(r"[1-9]\d* selected"))
    while page.evaluate("document.activeElement.value") != "take_out":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The plan")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("nobody can let it in again")
    is_fine(page)
    page.get_by_label(re.compile("Reason")).fill("A wave of consents")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_role("main")).to_contain_text("A second person has to approve these exact steps")

    decides = isaiah.open(re.sub("^https?://[^/]+", "", page.url))
    decides.get_by_role("link", name="Look and decide").click()
    decides.get_by_role("button", name="Approve these steps").click()
    follow_until_proved(decides)
    use_token_of(app, holder)
    expect(last_try(app, holder)).to_contain_text("Failed")

    page.reload()
    page.get_by_role("link", name="Undo").click()
    assert faults_of(page) == []
    page.get_by_role("dialog").get_by_role("button", name="Undo it").click()
    page.wait_for_url(re.compile(r"/t/contoso/revocations/[0-9a-f-]{36}/"))
    if page.get_by_role("main").get_by_text("A second person has to approve these exact steps").count():
        decides = isaiah.open(re.sub("^https?://[^/]+", "", page.url))
        decides.get_by_role("link", name="Look and decide").click()
        decides.get_by_role("button", name="Approve these steps").click()
        follow_until_proved(decides)
    else:
        follow_until_proved(page)
    use_token_of(app, holder)
    expect(last_try(app, holder)).to_contain_text("OK", timeout=SLOWEST_PROOF)
