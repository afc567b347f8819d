"""Every page that can be reached: axe finds nothing, nothing overflows, the console is silent, in light and dark."""

from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from tests.test_access import TABLE

RULES = {
    "resultTypes": ["violations"],
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
SAMPLES = 3  # pages looked at per URL name and query: one app may show what another does not
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
    "revocation:approve",
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

    def __init__(self, page: Page, origin: str) -> None:
        self.page, self.origin = page, origin
        self.seen: dict[str, int] = {}
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

    def _wanted(self, address: str) -> bool:
        name = name_of(address)
        if name is None or name.startswith("admin:") or name in NO_PAGES:
            return False
        kind = name + "?" + "&".join(sorted(part.split("=")[0] for part in urlsplit(address).query.split("&")))
        self.seen[kind] = self.seen.get(kind, 0) + 1
        return self.seen[kind] <= SAMPLES

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


def test_pages_of_an_admin(visitor: Callable):
    megan = visitor("Megan Bowen")
    walk = Walk(megan.page, megan.demo.portal_url).from_("/", "/t/contoso/", "/accounts/sessions/", "/onboarding/")

    assert walk.faults == []


@pytest.mark.parametrize("name", ["Adele Vance", "Henrietta Mueller", "Nestor Wilke"])
def test_pages_of_others(visitor: Callable, name: str):
    person = visitor(name)
    start = "/" if name == "Adele Vance" else "/t/contoso/"
    walk = Walk(person.page, person.demo.portal_url).from_(start)

    assert walk.faults == []


def test_the_walks_reach_every_page(visitor: Callable, scheme: str):
    if scheme == "dark":
        return  # which pages there are does not depend on the light
    megan = visitor("Megan Bowen")
    make_a_preview(megan.page, megan.demo.portal_url)

    reached = Walk(megan.page, megan.demo.portal_url).from_(
        "/", "/t/contoso/", "/accounts/sessions/", "/onboarding/", "/accounts/signed-out/"
    )

    pages = {name for name, row in TABLE.items() if row.method == "get"} - NO_PAGES - NOT_LINKED
    assert pages - reached.names == set()
    assert reached.faults == []


def make_a_preview(page: Page, origin: str) -> None:
    page.goto(f"{origin}/t/contoso/revocations/new/")
    page.get_by_role("textbox").first.fill("adele@contoso.example\nnobody@contoso.example")
    page.get_by_role("main").get_by_role("button").last.click()


@pytest.mark.parametrize("path", ["/accounts/sign-in/", "/accounts/signed-out/", "/no-such-page/", "/onboarding/"])
def test_pages_without_a_person(browser, demo, scheme: str, path: str):
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(demo.portal_url + path)

    assert faults_of(page) == []
    context.close()


@pytest.mark.parametrize("name", ["Adele Vance", "Megan Bowen"])
def test_pages_on_a_telephone(visitor: Callable, name: str):
    person = visitor(name)
    person.page.set_viewport_size({"width": 360, "height": 740})
    walk = Walk(person.page, person.demo.portal_url).from_("/" if name == "Adele Vance" else "/t/contoso/")

    assert walk.faults == []
