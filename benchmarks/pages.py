"""The pages of a large tenant beside a page without directory data, at 250,000 grants and at a tenth of them.

Every page is asked once a round, at both sizes, so that whatever else the machine does in some second slows all alike.
"""

import statistics
from collections import defaultdict
from collections.abc import Callable

from benchmarks.bed import Bed

PLAIN = "a page without directory data"
ROUNDS, WARMING = 30, 4  # before a round counts, every process has answered every page
TIMES_PLAIN, TIMES_TENTH = 2.5, 1.5


def addresses(one: Bed) -> dict[str, str]:
    here = one.inside_pages("places")
    at = {
        PLAIN: "revocations/",
        "Overview": "",
        "Apps": "apps/",
        "Apps, by name": "apps/?q=falcon",
        "Apps, by a part of many names": "apps/?q=app",
        "Apps, by permission searched": "apps/?q=mail.read",
        "Apps, by permission": "apps/?permission=Mail.Read",
        "Apps, by person": f"apps/?q={here['person_name'].replace(' ', '+')}",
        "Apps, by id": f"apps/?q={here['app_id']}",
        "Apps, high risk": "apps/?risk=3",
        "Apps, low risk": "apps/?risk=1",
        "Apps, unverified": "apps/?publisher=unverified",
        "Apps, verified": "apps/?publisher=verified",
        "Apps, Microsoft's": "apps/?publisher=microsoft",
        "Apps, of others": "apps/?publisher=third_party",
        "Apps, new consents": "apps/?consent=new",
        "Apps, consented by people": "apps/?consent=user",
        "Apps, consented by an admin": "apps/?consent=admin",
        "Apps, app-only": "apps/?consent=app_only",
        "Apps, without consent": "apps/?consent=none",
        "Apps, enabled": "apps/?enabled=yes",
        "Apps, disabled": "apps/?enabled=no",
        "Apps, off by Microsoft": "apps/?off=microsoft",
        "Apps, agents": "apps/?kind=agents",
        "Apps, agents without a sponsor": "apps/?kind=orphans",
        "Apps, unused": "apps/?use=unused",
        "Apps, use unknown": "apps/?use=unknown",
        "Apps, may read mail": "apps/?may=mail",
        "Apps, read all mail alone": "apps/?may=mail&alone=yes",
        "Apps, alone": "apps/?alone=yes",
        "Apps, AI connectors": "apps/?fact=ai_connector",
        "Apps, worth a look": "apps/?risk=3&publisher=third_party&enabled=yes",
        "Apps, sorted by name": "apps/?sort=name",
        "Apps, sorted by consents": "apps/?sort=consents",
        "Apps, sorted by use, turned": "apps/?sort=-used",
        "Apps, sorted by age": "apps/?sort=added",
        "Apps, last page": f"apps/?sort=name&after={here['late']}",
        "One app": f"apps/{here['app']}/",
        "One app, its people": f"apps/{here['app']}/?tab=people",
        "One app, one of its people": f"apps/{here['app']}/?tab=people&q=anna",
        "Permissions": "permissions/",
        "Permissions, a question": "permissions/?may=mail&alone=yes",
        "One permission": f"permissions/{here['graph']}/delegated/Mail.Read/",
        "People": "people/",
        "People, by name": "people/?q=anna",
        "One person": f"people/{here['person']}/",
        "Changes": "changes/",
    }
    return {name: f"/t/contoso/{path}" for name, path in at.items()}


class Site:
    """One bed's web processes, asked by an administrator."""

    def __init__(self, one: Bed):
        for process in (*one.workers, *one.others):
            process.terminate()
        self.address, self.paths = one.start_web(), addresses(one)
        cookie = one.inside("session", "Megan Bowen", "tenant_admin")["cookie"]
        self.queries = one.inside_pages("queries", cookie, *self.paths.values())
        self.http = one.sandbox.http
        self.cookie = {"consentry_session": cookie}
        self.status: dict[str, int] = {}
        self.times: dict[str, list[float]] = defaultdict(list)

    def ask(self, name: str, counts: bool) -> None:
        address = f"{self.address}{self.paths[name]}"
        answer = self.http.get(address, timeout=60, allow_redirects=False, cookies=self.cookie)
        if self.status.get(name, 200) == 200:
            self.status[name] = answer.status_code
        if counts:
            self.times[name].append(answer.elapsed.total_seconds())

    def found(self, name: str) -> dict:
        times = self.times[name]
        return {
            "p95": statistics.quantiles(times, n=20, method="inclusive")[-1],
            "p50": statistics.median(times),
            "queries": self.queries[self.paths[name]],
            "status": self.status[name],
        }


def measure(line: Callable, full: Bed, tenth: Bed) -> list:
    """A line for every page. The plain page is asked as often as five others, at full size."""
    large, small = Site(full), Site(tenth)
    names = list(large.paths)
    for round_ in range(WARMING + ROUNDS):
        counts = round_ >= WARMING
        for at, name in enumerate(names):
            for site in (large, small):
                site.ask(name, counts)
            if at % (len(names) // 4) == 0:
                large.ask(PLAIN, counts)
    return _lines(line, {name: (large.found(name), small.found(name)) for name in names})


def _lines(line: Callable, found: dict[str, tuple[dict, dict]]) -> list:
    plain = found[PLAIN][0]["p95"]
    lines = []
    for name, (full, tenth) in found.items():
        if (full["status"], tenth["status"]) != (200, 200):
            lines.append(line(f"Page: {name}", f"answered {full['status']}, {tenth['status']}", "200", False))
            continue
        bar = min(TIMES_PLAIN * plain, TIMES_TENTH * tenth["p95"])
        ok = full["p95"] <= bar and full["queries"] == tenth["queries"]
        value = (
            f"p95 {full['p95'] * 1000:.0f} ms, {full['p95'] / plain:.1f} x plain, "
            f"{full['p95'] / tenth['p95']:.1f} x a tenth, {full['queries']} statements"
        )
        lines.append(line(f"Page: {name}", value, f"<= {bar * 1000:.0f} ms, {tenth['queries']}", ok,
                          {"full": full, "tenth": tenth}))  # fmt: skip
    return lines
