"""A list of people: checked line by line, asked for by one person, approved by another, done, proved and reported."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.looking import faults_of
from tests.browser.test_three_jobs import follow_until_proved, last_try, use_token_of

NAMES = ["adele", "johanna", "pradeep", "miriam", "nobody"]


def let_one_person_sign_out_two(admin: Page) -> None:
    admin.get_by_label(re.compile("Second approver above")).fill("2")
    admin.get_by_role("button", name="Save settings").click()
    expect(admin.get_by_role("status").or_(admin.get_by_role("alert")).first).to_be_visible()


def test_a_list_waits_for_a_second_person_and_is_proved(visitor: Callable):
    megan, henrietta = visitor("Megan Bowen"), visitor("Henrietta Mueller")
    let_one_person_sign_out_two(megan.open("/t/contoso/settings/"))
    app = henrietta.client_app("mail-sidekick")
    use_token_of(app, "Johanna Lorenz")
    expect(last_try(app, "Johanna Lorenz")).to_contain_text("OK")

    page = henrietta.open("/t/contoso/revocations/new/")
    page.locator("textarea[name=text]").fill(
        "\n".join(["User principal name", *(f"{one}@contoso.example" for one in NAMES)])
    )
    page.get_by_role("button", name="Check who this is").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("3 people would be signed out")
    expect(page.get_by_role("row").filter(has_text="miriam@contoso.example")).to_contain_text("Global Reader")
    expect(page.get_by_role("row").filter(has_text="nobody@contoso.example")).to_contain_text("Not found")
    page.get_by_role("link", name="Sign out 3 people …").click()
    page.get_by_label(re.compile("Reason")).fill("Seen in a list of stolen passwords")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_role("main")).to_contain_text("A second person has to approve these exact steps")
    expect(page.get_by_role("link", name="Look and decide")).to_have_count(0)
    assert faults_of(page) == []

    decides = megan.open(re.sub("^https?://[^/]+", "", page.url))
    assert faults_of(decides) == []
    decides.get_by_role("link", name="Look and decide").click()
    expect(decides.get_by_role("main")).to_contain_text("Seen in a list of stolen passwords")
    assert faults_of(decides) == []
    decides.get_by_role("button", name="Approve these steps").click()
    follow_until_proved(decides)
    assert faults_of(decides) == []

    use_token_of(app, "Johanna Lorenz")
    expect(last_try(app, "Johanna Lorenz")).to_contain_text("AADSTS50173")
    page.reload()
    expect(page.get_by_role("main")).to_contain_text("Approved by Megan Bowen")
    page.get_by_role("link", name="Signed report").click()
    expect(page.get_by_role("main")).to_contain_text("Megan Bowen")
    assert faults_of(page) == []
