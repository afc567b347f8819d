"""Following every link of the portal from page to page."""

from collections import defaultdict, deque
from urllib.parse import parse_qs, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page

from tests.browser.looking import WIDTHS, faults_of, too_wide

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
    "consent:sign-out-progress",
    "revocation:own-timeline",
    "revocation:progress",
    "revocation:preview-download",
    "revocation:list-download",
    "revocation:results-csv",
    "revocation:results-json",
    "revocation:report-json",
}


# Lists with many filters: the same page, however it is asked for.
FILTERED = {"consent:apps", "consent:permissions"}


def name_of(address: str) -> str | None:
    try:
        return resolve(urlsplit(address).path).view_name
    except Resolver404:
        return None


class Walk:
    """Follows every link of this portal from page to page and looks at each, at every one of `widths`."""

    def __init__(self, page: Page, origin: str, samples: int = SAMPLES, widths: tuple[int, ...] = WIDTHS) -> None:
        self.page, self.origin, self.samples, self.widths = page, origin, samples, widths
        self.seen: dict[tuple, int] = {}
        self.visited: set[str] = set()
        self.faults: list[str] = []
        self.titles: dict[str, set[str]] = defaultdict(set)
        self._measured: set[str | None] = set()

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
        kind = (name,) if name in FILTERED else (name, *sorted(query), *query.get("tab", []))
        self.seen[kind] = self.seen.get(kind, 0) + 1
        return self.seen[kind] <= self.samples

    def _links(self) -> list[str]:
        found = self.page.eval_on_selector_all("a[href]", "links => links.map(link => link.href.split('#')[0])")
        return [link for link in dict.fromkeys(found) if link.startswith(self.origin + "/")]

    def _look(self, address: str) -> None:
        where = urlsplit(address).path
        self.titles[self.page.title()].add(name_of(self.page.url) or "")  # the page one was led to
        # The second page of a kind is measured at the outermost widths alone.
        widths = self.widths[:: max(1, len(self.widths) - 1)] if name_of(address) in self._measured else self.widths
        self._measured.add(name_of(address))
        self.faults += [f"{where}: {fault}" for fault in faults_of(self.page) + too_wide(self.page, widths)]

    @property
    def shared_titles(self) -> dict[str, list[str]]:
        """Titles that pages of different kinds share: in the list of tabs and in the history they are one."""
        return {title: sorted(names) for title, names in self.titles.items() if len(names) > 1}

    @property
    def names(self) -> set[str]:
        return {name_of(address) for address in self.visited}
