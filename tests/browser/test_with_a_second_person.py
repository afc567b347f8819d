"""What two persons do together: a list of people signed out, and many apps disabled and brought back.

Each is looked at before it is asked for, asked for by one person, approved by another, done, proved.
"""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.by_keyboard import press, write
from tests.browser.conftest import Demo, Visitor
from tests.browser.counting import Way
from tests.browser.looking import faults_of, too_wide
from tests.browser.test_three_jobs import SLOWEST_PROOF, follow_until_proved, last_try, use_token_of
from tests.sandbox_client import CONTOSO

NAMES = ["johanna", "lee", "nestor", "miriam", "nobody"]
FLEET, PREFIX = 31, "Fleet tracker"  # one more than a page of the list shows


@pytest.fixture(scope="module", autouse=True)
def fleet(demo: Demo) -> Iterator[None]:
    """More apps than a page shows, one of them let in for everybody. They are there before the first test, since the
    portal's copy follows the directory every half minute."""
    post = [{"method": "POST", "headers": {"Content-Type": "application/json"}} for _ in range(FLEET)]

    def made(url: str, bodies: list[dict]) -> list[dict]:
        found = []
        for first in range(0, FLEET, 20):
            batch = [
                {**one, "id": str(place), "url": url, "body": body}
                for place, (one, body) in enumerate(zip(post[first:], bodies[first : first + 20], strict=False))
            ]
            answer = demo.sandbox.graph("POST", "$batch", CONTOSO, json={"requests": batch}).json()
            found += [one["body"] for one in sorted(answer["responses"], key=lambda one: int(one["id"]))]
        return found

    registered = made("/applications", [{"displayName": f"{PREFIX} {n:02}"} for n in range(1, FLEET + 1)])
    apps = made("/servicePrincipals", [{"appId": one["appId"]} for one in registered])
    everybody = {"tenant": CONTOSO, "do": "consent", "app": apps[0]["id"], "scopes": ["Mail.Read"]}
    demo.sandbox.control("POST", "world", json=everybody)
    yield
    for do in ("delete_app", "purge_app"):
        for app in apps:
            demo.sandbox.control("POST", "world", json={"tenant": CONTOSO, "do": do, "app": app["id"]})


@pytest.fixture(autouse=True)
def rule_of_two(demo: Demo, visitor: Callable) -> Iterator[None]:
    """Whoever acts on more than two people needs a second person."""
    page = visitor("Megan Bowen").open("/t/contoso/settings/")
    page.get_by_label(re.compile("Second approver above")).fill("2")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_be_visible()
    yield
    demo.forget_the_rule_of(CONTOSO)


def test_a_list_waits_for_a_second_person_and_is_proved(visitor: Callable):
    megan, henrietta = visitor("Megan Bowen"), visitor("Henrietta Mueller")
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

    with page.expect_response(lambda answer: "/progress/" in answer.url and answer.status == 304):
        pass  # nothing new, nothing sent, and what is shown stays
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
    expect(page.get_by_role("main")).to_contain_text("Approved by Megan Bowen")  # without being loaded anew
    expect(page.get_by_role("main")).to_contain_text("Done, and proved", timeout=60_000)
    expect(page).to_have_title(re.compile(r"^Revocation: "))
    page.get_by_role("link", name="Signed report").click()
    expect(page.get_by_role("main")).to_contain_text("Megan Bowen")
    assert faults_of(page) == []


def test_all_that_match_are_disabled_by_a_second_persons_word_and_brought_back(visitor: Callable):
    """By keyboard alone. One of them may act for everybody, so disabling it takes two."""
    megan, isaiah = visitor("Megan Bowen"), visitor("Isaiah Langer")
    fleet = f"/t/contoso/apps/?q={PREFIX.replace(' ', '+')}"
    page = megan.page
    plan = fleet.replace("/?", "/change/?all=1&deed=disable_apps&")
    wait_for(megan, plan, page.get_by_role("button", name="Ask for approval"))
    wait_for(megan, fleet, page.get_by_label(f"Select all that match {FLEET}"))
    way = Way(page)

    press(page, page.get_by_label("All shown"), "Space")
    expect(page.get_by_text(f"{FLEET - 1} selected")).to_be_visible()
    press(page, page.get_by_label("All shown"), "Space")
    way.begins()
    whole = page.get_by_label(f"Select all that match {FLEET}")
    press(page, whole, "Space")
    press(page, page.get_by_role("button", name="Disable"))
    expect(page.get_by_role("main")).to_contain_text(f"{FLEET} apps are changed")
    assert faults_of(page) + too_wide(page) == []
    write(page, page.get_by_label(re.compile("Reason")), "Nobody tracks a fleet any more")
    press(page, page.get_by_role("main").get_by_role("button", name="Ask for approval"))
    expect(page.get_by_role("main")).to_contain_text("A second person has to approve these exact steps")

    approve_what_waits(isaiah)

    follow_until_all_are_verified(page)
    way.reaches("Disable all that match")
    assert faults_of(page) == []
    way.begins()
    changed = page.url
    press(page, page.get_by_role("main").get_by_role("link", name="Undo", exact=True))
    press(page, page.get_by_role("dialog").get_by_role("button", name=re.compile("Undo")))
    page.wait_for_url(lambda url: url != changed)
    follow_until_all_are_verified(page)
    way.reaches("… and bring them back")
    megan.open(f"/t/contoso/apps/?enabled=no&q={PREFIX.replace(' ', '+')}")
    expect(page.get_by_role("main")).to_contain_text("No app fits")


def wait_for(person: Visitor, address: str, what: Locator) -> None:
    """The portal's copy follows the directory, apps and what they hold each by themselves."""
    for _ in range(60):
        person.open(address).wait_for_load_state("networkidle")
        if what.count():
            return
        person.page.wait_for_timeout(1000)
    raise AssertionError("the portal's copy did not follow the directory within a minute")


def follow_until_all_are_verified(page: Page) -> None:
    """Stay on the page of a revocation of many steps."""
    done = page.get_by_role("region", name=f"{FLEET} of {FLEET} steps")
    expect(done).to_contain_text("Finished", timeout=SLOWEST_PROOF)
    expect(done).to_contain_text(re.compile(rf"Verified\s*{FLEET}"))


def approve_what_waits(person: Visitor) -> None:
    page = person.open("/")
    way = Way(page)
    page.get_by_role("navigation").get_by_role("link", name="Contoso workspace").click()
    waiting = page.get_by_role("region", name="Inbox")
    waiting.get_by_role("button", name="Approve Disable").click()
    expect(page.get_by_role("main")).to_contain_text("Approved by")
    way.reaches("Approve what waits for me")
