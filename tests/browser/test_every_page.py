"""Every page that can be reached: axe finds nothing, nothing overflows, the console is silent, in light and dark."""

import re
from collections import deque
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
from playwright.sync_api import Page, expect

from tests.test_access import TABLE

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
SAMPLES = 2  # pages looked at per URL name and query: one app may show what another does not
pytestmark = pytest.mark.timeout(600)  # some sixty pages each, and axe takes its time

NO_PAGES = {  # answers that are no HTML page, or lead away
    "healthz",
    "readyz",
    "metrics",
    "entra_callback",
    "accounts:front-channel-logout",
    "consent:onboarding-callback",
    "consent:removal-progress",
    "consent:sign-out-progress",
    "revocation:own-timeline",
    "revocation:progress",
    "revocation:preview-download",
    "revocation:list-download",
    "revocation:results-csv",
    "revocation:results-json",
    "revocation:report-json",
}
# Pages that need something which no link leads to in this world; their parts are on other pages.
NOT_LINKED = {
    "consent:end-provider",
    "revocation:pause",
    "revocation:resume",
    "revocation:cancel",
    "revocation:retry",
    "revocation:approve",  # looked at in test_with_a_second_person.py
    "revocation:reject",
    "revocation:override",
}


def name_of(address: str) -> str | None:
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return None


class Walk:
    """Follows every link of this portal from page to page and looks at each."""

    def __init__(self, page: Page, origin: str, samples: int = SAMPLES) -> None:
        self.page, self.origin, self.samples = page, origin, samples
        self.seen: dict[tuple, int] = {}
        self.visited: set[str] = set()
        self.faults: list[str] = []

    def from_(self, *starts: str) -> "Walk":
        queue = deque(self.origin + start for start in starts)
        while queue:
            address = queue.popleft()
            if address in self.visited or not self._wanted(address):
                continue
            self.visited.add(address)
            self.page.goto(address)
            self._look(address)
            queue.extend(self._links())
        return self

    def into(self, listing: str, name: str, query: str = "") -> "Walk":
        """Open the first page called `name` in a list, however many of its kind were seen, and go on from there."""
        self.page.goto(self.origin + listing)
        target = next(link for link in self._links() if name_of(link) == name)
        self.page.goto(target + query)
        self.visited.add(target)
        self._look(target)
        return self.from_(*(link.removeprefix(self.origin) for link in self._links()))

    def _wanted(self, address: str) -> bool:
        name = name_of(address)
        if name is None or name.startswith("admin:") or name in NO_PAGES:
            return False
        query = parse_qs(urlsplit(address).query)
        kind = (name, *sorted(query), *query.get("tab", []))
        self.seen[kind] = self.seen.get(kind, 0) + 1
        return self.seen[kind] <= self.samples

    def _links(self) -> list[str]:
        found = self.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href.split('#')[0])")
        return [link for link in dict.fromkeys(found) if link.startswith(self.origin + "/")]

    def _look(self, address: str) -> None:
        where = urlsplit(address).path
        self.faults += [f"{where}: {fault}" for fault in faults_of(self.page)]

    @property
    def names(self) -> set[str]:
        return {name_of(address) for address in self.visited}


def faults_of(page: Page) -> list[str]:
    found = [
        f"{violation['id']}: {violation['help']}: {' | '.join(str(node['target']) for node in violation['nodes'][:3])}"
        for violation in Axe().run(page, options=RULES).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("scrolls sideways")
    if page.locator("h1").count() != 1:
        found.append(f"has {page.locator('h1').count()} first headings")
    return found


@pytest.mark.parametrize("name", ["Adele Vance", "Henrietta Mueller", "Nestor Wilke"])
def test_pages_of_others(visitor: Callable, name: str):
    person = visitor(name)
    start = "/" if name == "Adele Vance" else "/t/contoso/"
    walk = Walk(person.page, person.demo.portal_url).from_(start)

    assert walk.faults == []


def test_an_admin_reaches_every_page(visitor: Callable):
    """After one of each thing was done, links lead everywhere."""
    megan = visitor("Megan Bowen")
    reached = Walk(megan.page, megan.demo.portal_url).from_("/")
    do_one_of_each(megan.page, megan.demo.portal_url)
    reached.from_(
        "/activity/",
        "/t/contoso/",
        "/t/contoso/revocations/",
        "/accounts/sessions/",
        "/onboarding/",
        "/accounts/signed-out/",
    )
    preview = preview_of_a_list(megan.page, megan.demo.portal_url)
    reached.from_(preview, "/accounts/sign-in/")
    reached.into("/t/contoso/apps/?enabled=no", "consent:app")
    reached.into("/t/contoso/apps/?q=Contoso+Travel", "consent:app", "?tab=organisation")
    reached.into("/t/contoso/revocations/", "revocation:detail")
    put_back(megan.page, megan.demo.portal_url)
    megan.demo.forget_sign_in_time(megan.context)
    reached.from_("/accounts/step-up/")

    pages = {name for name, row in TABLE.items() if row.method == "get"} - NO_PAGES - NOT_LINKED
    assert " ".join(sorted(pages - reached.names)) == ""
    assert reached.faults == []


def do_one_of_each(page: Page, origin: str) -> None:
    """Remove an own app, and sign a person out."""
    page.goto(origin)
    removable = page.get_by_role("link", name=re.compile("^Remove "))
    if removable.count():  # the earlier run's removal is still shown
        removable.first.click()
        page.get_by_role("dialog").get_by_role("button", name=re.compile("^Remove ")).click()
        expect(page.get_by_role("link", name=re.compile("^Every step")).first).to_be_visible()
    page.goto(f"{origin}/t/contoso/people/?q=graham")
    page.get_by_role("link", name="Miriam Graham").click()
    page.wait_for_url("**/people/*-*/")
    # The button, not an earlier sign-out of the same title among the past ones.
    page.locator("a.button", has_text="Sign out Miriam Graham everywhere").click()
    page.get_by_role("dialog").get_by_label(re.compile("Reason")).fill("A lost telephone")
    page.get_by_role("dialog").get_by_role("button", name="Sign out Miriam Graham everywhere").click()
    page.wait_for_url("**/t/contoso/revocations/*/")


def put_back(page: Page, origin: str) -> None:
    """Undo the removal, so that whoever comes next finds something to remove."""
    page.goto(origin)
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_role("link", name=re.compile("^Remove ")).first).to_be_visible(timeout=60_000)


def preview_of_a_list(page: Page, origin: str) -> str:
    page.goto(f"{origin}/t/contoso/revocations/new/")
    page.locator("textarea[name=text]").fill("pradeep@contoso.example\nnobody@contoso.example")
    page.get_by_role("button", name="Check who this is").click()
    page.wait_for_url("**/revocations/lists/*/**")
    return urlsplit(page.url).path


@pytest.mark.parametrize("path", ["/accounts/sign-in/", "/accounts/signed-out/", "/no-such-page/", "/onboarding/"])
def test_pages_without_a_person(browser, demo, scheme: str, path: str):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(demo.portal_url + path)

    assert faults_of(page) == []
    context.close()


@pytest.mark.parametrize("name", ["Adele Vance", "Megan Bowen"])
def test_pages_on_a_telephone(visitor: Callable, name: str, scheme: str):
    person = visitor(name)
    person.page.set_viewport_size({"width": 360, "height": 740})
    walk = Walk(person.page, person.demo.portal_url, samples=1).from_("/" if name == "Adele Vance" else "/t/contoso/")

    assert walk.faults == []
