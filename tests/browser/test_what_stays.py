"""What somebody typed, reached or sent is not lost when a page changes by itself, and nothing waits without scripts."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Demo, Visitor
from tests.browser.looking import faults_of

REFRESH = re.compile(r"/refresh/")


class HeldRefresh:
    """The list's question to Microsoft, answered when the test says so."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: list[Route] = []
        page.route(REFRESH, lambda route: self.held.append(route))

    def answer(self) -> None:
        expect(self.page.get_by_text("Asking Microsoft for the latest state.")).to_be_visible()
        while not self.held:
            self.page.wait_for_timeout(20)
        with self.page.expect_response(REFRESH):
            self.held.pop().continue_()
        expect(self.page.get_by_text("Asking Microsoft for the latest state.")).to_have_count(0)


@pytest.fixture
def adele(visitor: Callable) -> Visitor:
    return visitor("Adele Vance")


@pytest.fixture
def refresh(adele: Visitor) -> HeldRefresh:
    held = HeldRefresh(adele.page)
    adele.open("/")
    return held


def test_a_search_that_is_being_typed_survives_the_refresh(adele: Visitor, refresh: HeldRefresh):
    search = adele.page.get_by_role("searchbox")
    search.press_sequentially("mail sid")
    search.press("ArrowLeft")

    refresh.answer()

    expect(search).to_be_focused()
    search.press_sequentially("X")
    expect(search).to_have_value("mail siXd")


def test_the_row_that_was_reached_by_keyboard_keeps_the_focus_and_its_tick(adele: Visitor, refresh: HeldRefresh):
    remove = adele.page.get_by_role("link", name="Remove Wingtip Notes")
    adele.page.get_by_label("Tick Wingtip Notes").check()
    remove.focus()

    refresh.answer()

    expect(remove).to_be_focused()
    expect(adele.page.get_by_label("Tick Wingtip Notes")).to_be_checked()
    expect(adele.page.get_by_role("button", name="Remove the ticked apps")).to_be_enabled()


def test_a_dialog_gives_the_focus_back_to_the_new_list(adele: Visitor, refresh: HeldRefresh):
    remove = adele.page.get_by_role("link", name="Remove Wingtip Notes")
    remove.click()
    dialog = adele.page.get_by_role("dialog")
    expect(dialog).to_be_visible()

    refresh.answer()
    dialog.get_by_role("link", name="Keep it").click()

    expect(dialog).to_have_count(0)
    expect(remove).to_be_focused()


def test_what_is_typed_survives_a_list_that_fills_in(adele: Visitor, late_answers: None):
    page = adele.open("/")
    page.get_by_role("link", name="Remove Wingtip Notes").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove Wingtip Notes").click()
    removed = page.get_by_role("listitem").filter(has_text="Wingtip Notes").first
    expect(removed).to_contain_text("reading back")
    expect(page.get_by_text("Asking Microsoft for the latest state.")).to_have_count(0)
    removed.get_by_role("link", name="Every step Wingtip Notes").focus()
    page.get_by_role("searchbox").press_sequentially("mail sid")

    expect(removed).to_contain_text("Verified at")

    expect(page.get_by_role("searchbox")).to_be_focused()
    expect(page.get_by_role("searchbox")).to_have_value("mail sid")
    page.get_by_role("button", name="Undo Remove Wingtip Notes").click()
    expect(page.get_by_role("link", name="Remove Wingtip Notes")).to_be_visible()


def test_without_scripts_the_list_waits_for_nothing_and_can_be_asked_for(without_scripts: Page):
    page = without_scripts

    expect(page.get_by_text("Asking Microsoft for the latest state.")).to_be_hidden()
    page.get_by_role("button", name="Ask Microsoft for the latest state").click()
    expect(page.get_by_text("Read from Microsoft just now.")).to_be_visible()
    expect(page.get_by_role("button", name="Dismiss")).to_have_count(0)


@pytest.fixture
def without_scripts(browser: Browser, demo: Demo) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    adele = Visitor(context, demo, "Adele Vance").sign_in()
    yield adele.open("/")
    context.close()


def test_the_whole_record_can_be_exported_twice_and_by_a_double_click_once(visitor: Callable):
    megan = visitor("Megan Bowen")
    page = megan.open("/t/contoso/audit/")
    export = page.get_by_role("button", name="Export the whole record")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)

    for times in (1, 2):
        with page.expect_download() as download:
            export.dblclick()
        assert download.value.suggested_filename
        expect(page.locator("form[data-sent]")).to_have_count(0)
        assert len(asked) == times


def test_a_list_typed_before_the_session_was_lost_is_there_again(visitor: Callable):
    megan = visitor("Megan Bowen")
    page = megan.open("/t/contoso/revocations/new/")
    people = "pradeep@contoso.example\nadele@contoso.example\n" * 50
    page.get_by_role("textbox", name="People").fill(people)
    megan.context.clear_cookies(name="consentry_session")
    megan.context.clear_cookies(name="csrftoken")

    page.get_by_role("button", name="Check who this is").click()
    expect(page.get_by_role("heading", name="This page was open too long")).to_be_visible()
    page.get_by_role("link", name="Sign in and go on").click()
    page.get_by_role("button", name="Sign in with Microsoft").click()
    page.wait_for_url("**/revocations/new/**")

    expect(page.get_by_role("textbox", name="People")).to_have_value(people)
    page.get_by_role("button", name="Check who this is").click()
    page.wait_for_url("**/revocations/lists/*/**")
    page.wait_for_load_state()
    assert page.evaluate("Object.keys(sessionStorage).filter(key => key.startsWith('kept:'))") == []


def test_a_reason_typed_into_a_dialog_is_there_again(visitor: Callable):
    megan = visitor("Megan Bowen")
    page = megan.open("/t/contoso/people/?q=alex")
    page.get_by_role("link", name="Alex Wilber").click()
    page.locator("a.button", has_text="Sign out Alex Wilber everywhere").click()
    page.get_by_role("dialog").get_by_label("Reason").fill("A lost telephone")
    megan.context.clear_cookies(name="consentry_session")
    megan.context.clear_cookies(name="csrftoken")

    page.get_by_role("dialog").get_by_role("button", name="Sign out Alex Wilber everywhere").click()
    page.get_by_role("link", name="Sign in and go on").click()
    page.get_by_role("button", name="Sign in with Microsoft").click()

    expect(page.get_by_label("Reason")).to_have_value("A lost telephone")


def test_a_page_whose_session_was_ended_elsewhere_says_so_as_a_whole(visitor: Callable):
    here, elsewhere = visitor("Megan Bowen"), visitor("Megan Bowen")
    page = here.open("/t/contoso/apps/")
    other = elsewhere.open("/accounts/sessions/")
    other.get_by_role("button", name=re.compile(r"^End \d+ other session")).click()  # also those of tests before
    expect(other.get_by_role("button", name="End session")).to_have_count(0)

    page.get_by_label("Search", exact=True).fill("Mail Sidekick")

    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("ended"))
    expect(page.get_by_role("navigation")).to_have_count(0)


def test_a_file_dropped_anywhere_is_checked_and_nothing_else_is_done(visitor: Callable):
    page = visitor("Megan Bowen").open("/t/contoso/revocations/new/")
    page.evaluate(
        """() => {
            const brought = new DataTransfer();
            brought.items.add(new File(["pradeep@contoso.example\\nnobody@contoso.example\\n"], "people.csv"));
            document.querySelector("h1").dispatchEvent(
                new DragEvent("drop", { dataTransfer: brought, bubbles: true, cancelable: true }));
        }"""
    )

    expect(page.get_by_role("heading", level=1)).to_have_text("1 person would be signed out")
    expect(page.get_by_role("row").filter(has_text="nobody@contoso.example")).to_contain_text("Not found")


def test_the_number_of_apps_is_announced_and_the_table_is_not(visitor: Callable):
    megan = visitor("Megan Bowen")
    page = megan.open("/t/contoso/apps/")

    page.get_by_label("Search", exact=True).fill("Mail Sidekick")

    expect(page.locator("#live")).to_have_text(re.compile("1 app fits."))
    assert page.locator("[aria-live] table, table[aria-live]").count() == 0


def test_the_strip_shows_where_one_is(visitor: Callable):
    megan = visitor("Megan Bowen")
    megan.page.set_viewport_size({"width": 360, "height": 740})
    page = megan.open("/t/contoso/connection/")

    expect(page.locator(".work > nav [aria-current]")).to_be_in_viewport(ratio=0.98)
    expect(page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=0.98)


def test_on_a_telephone_the_way_out_of_a_dialog_is_in_sight(adele: Visitor):
    adele.page.set_viewport_size({"width": 360, "height": 560})
    page = adele.open("/")
    page.get_by_role("link", name="Remove Wingtip Notes").click()

    keep = page.get_by_role("dialog").get_by_role("link", name="Keep it")
    expect(keep).to_be_focused()
    expect(keep).to_be_in_viewport(ratio=0.98)


def test_my_apps_is_light_when_it_is_opened_for_the_first_time(visitor: Callable, browser: Browser):
    adele = visitor("Adele Vance")
    cold = browser.new_context(storage_state=adele.context.storage_state())  # signed in, and nothing kept
    page = cold.new_page()
    weights: dict[str, int] = {}
    names: dict[str, str] = {}
    wire = cold.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.requestWillBeSent", lambda sent: names.update({sent["requestId"]: sent["request"]["url"]}))
    wire.on("Network.loadingFinished", lambda done: weights.update({done["requestId"]: done["encodedDataLength"]}))

    page.goto(adele.demo.portal_url)
    page.wait_for_load_state("networkidle")

    each = {names[one]: round(weight) for one, weight in weights.items()}
    assert len(each) <= 8, each
    assert sum(each.values()) <= 40_000, each
    cold.close()


def test_back_asks_nothing_until_something_was_sent_and_shows_nothing_after_sign_out(visitor: Callable):
    adele = visitor("Adele Vance")
    # My apps, where signing in leads, asks Microsoft by itself: that was something sent, and has to be over.
    expect(adele.page.get_by_text("Asking Microsoft for the latest state.")).to_have_count(0)
    page = adele.open("/activity/")
    adele.open("/accounts/sessions/")

    page.go_back()

    expect(page.get_by_role("heading", level=1)).to_have_text("My activity")
    assert page.evaluate("performance.getEntriesByType('navigation')[0].transferSize") == 0
    page.locator("#account > summary").click()
    page.locator("#account").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out of Consentry")
    page.go_back()
    expect(page.get_by_role("button", name="Sign in with Microsoft")).to_be_visible()


def test_an_entry_of_the_record_opens_by_key_to_what_it_says(visitor: Callable):
    page = visitor("Megan Bowen").open("/t/contoso/audit/")
    expect(page.get_by_text("accounts.session.started")).to_have_count(0)

    page.keyboard.press("j")
    page.keyboard.press("Enter")

    expect(page.get_by_text("accounts.session.started")).to_have_count(1)
    expect(page.get_by_role("button", name=re.compile("^Copy ")).first).to_be_visible()


def test_a_list_is_worked_through_by_keys_and_its_rows_are_links(visitor: Callable):
    page = visitor("Megan Bowen").open("/t/contoso/apps/")
    page.keyboard.press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("jx?/")  # what is typed is text
    expect(page.get_by_role("searchbox")).to_have_value("jx?/")
    page.goto(page.url.partition("?")[0])
    for key in "jjkx":
        page.keyboard.press(key)
    first, second = page.locator("tbody a.strong").nth(0), page.locator("tbody a.strong").nth(1)
    expect(first).to_be_focused()
    expect(page.get_by_role("checkbox", name=first.inner_text())).to_be_checked()

    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    assert faults_of(page) == []
    dialog.get_by_role("checkbox").uncheck()
    dialog.get_by_role("button", name="Close").click()
    expect(first).to_be_focused()
    page.keyboard.press("j")
    expect(first).to_be_focused()

    second.scroll_into_view_if_needed()
    named = second.inner_text()
    page.locator("tbody tr").nth(1).locator("td").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(named))
