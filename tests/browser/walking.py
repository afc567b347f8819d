"""Following every link of the portal from page to page."""

from collections import defaultdict, deque
from urllib.parse import parse_qs, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page, expect

from tests.browser.looking import WIDTHS, faults_mirrored, faults_of, faults_on_a_telephone, too_wide

SAMPLES = 2  # pages looked at per URL name and query: one app may show what another does not

NO_PAGES = {  # answers that are no HTML page, or lead away
    "healthz",
    "readyz",
    "metrics",
    "entra_callback",
    "accounts:front-channel-logout",
    "tenants:onboarding-callback",
    "consent:my-apps-list",
    "consent:apps-csv",
    "consent:count-apps",
    "consent:permissions-csv",
    "consent:sign-out-progress",
    "consent:sign-out-proof-progress",
    "revocation:listed",
    "revocation:toast",
    "revocation:own-timeline",
    "revocation:progress",
    "revocation:preview-download",
    "revocation:list-download",
    "revocation:results-csv",
    "revocation:results-json",
    "revocation:report-json",
}


# Lists with many filters: the same page, however it is asked for.
FILTERED = {"audit:list", "consent:apps", "consent:permissions", "revocation:people"}

# Once in a run, by whoever comes first: kinds of pages measured in full, and of dialogs opened, by the pages' names.
_measured: set[str | None] = set()
_opened: set[str | None] = set()


def name_of(address: str) -> str | None:
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return None


class Walk:
    """Follows every link of this portal from page to page and looks at each: wide, narrow, mirrored."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page, self.origin = page, origin
        self.seen: dict[tuple, int] = {}
        self.visited: set[str] = set()
        self.faults: list[str] = []
        self.titles: dict[str, set[str]] = defaultdict(set)

    def from_(self, *starts: str) -> "Walk":
        queue = deque(self.origin + start for start in starts)
        while queue:
            address = queue.popleft()
            if address in self.visited or not self._wanted(address):
                continue
            self.visited.add(address)
            self.page.goto(address)
            self._look(address)
            self._open_dialogs(address)
            queue.extend(self._links())
        return self

    def into(self, listing: str, name: str, query: str = "") -> "Walk":
        """Open the first page called `name` in a list, however many of its kind were seen, and go on from there."""
        self.page.goto(self.origin + listing)
        target = next(link for link in self._links() if name_of(link) == name)
        self.page.goto(target + query)
        self.visited.add(target)
        self._look(target)
        self._open_dialogs(target)
        return self.from_(*(link.removeprefix(self.origin) for link in self._links()))

    def _wanted(self, address: str) -> bool:
        name = name_of(address)
        if name is None or name.startswith("admin:") or name in NO_PAGES:
            return False
        query = parse_qs(urlsplit(address).query)
        kind = (name,) if name in FILTERED else (name, *sorted(query), *query.get("tab", []))
        self.seen[kind] = self.seen.get(kind, 0) + 1
        return self.seen[kind] <= SAMPLES

    def _links(self) -> list[str]:
        address = "new URL(link.getAttribute('href'), document.baseURI).href.split('#')[0]"  # in charts too
        found = self.page.eval_on_selector_all("a[href]", f"links => links.map(link => {address})")
        return [link for link in dict.fromkeys(found) if link.startswith(self.origin + "/")]

    def _look(self, address: str) -> None:
        where = urlsplit(address).path
        self.titles[self.page.title()].add(name_of(self.page.url) or "")  # the page one was led to
        faults = faults_of(self.page)
        if name_of(address) in _measured:
            faults += too_wide(self.page, (WIDTHS[0], WIDTHS[-1]))
        else:
            faults += too_wide(self.page) + faults_on_a_telephone(self.page) + faults_mirrored(self.page)
        _measured.add(name_of(address))
        self.faults += [f"{where}: {fault}" for fault in faults]

    def _open_dialogs(self, address: str) -> None:
        """Each kind of dialog is looked at where it comes first. When it is left, what opened it has the focus."""
        shown = "links => links.filter(one => one.checkVisibility()).map(one => one.getAttribute('href'))"
        for there in self.page.eval_on_selector_all("a[data-dialog]", shown):
            kind = name_of(there)
            if kind in _opened:
                continue
            _opened.add(kind)
            link = self.page.locator(f'a[data-dialog][href="{there}"]').first
            link.click()
            expect(self.page.locator("dialog[open] h2, dialog[open] h1").first).to_be_visible()
            faults = faults_of(self.page) + faults_mirrored(self.page, ())
            self.faults += [f"{urlsplit(address).path}: in the dialog {kind}: {one}" for one in faults]
            self.page.keyboard.press("Escape")
            expect(link).to_be_focused()

    @property
    def shared_titles(self) -> dict[str, list[str]]:
        """Titles that pages of different kinds share: in the list of tabs and in the history they are one."""
        return {title: sorted(names) for title, names in self.titles.items() if len(names) > 1}

    @property
    def names(self) -> set[str]:
        return {name_of(address) for address in self.visited}
