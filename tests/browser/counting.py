"""Counting what somebody presses and the pages they see on the way to an answer, as the browser itself tells it."""

import re
import time
from dataclasses import astuple, dataclass
from pathlib import Path

from playwright.sync_api import Page

TABLE = Path(__file__).resolve().parent.parent.parent / "docs" / "walks.md"
ROW = re.compile(r"^\| (?P<name>[^|]+?) \|(?:[^|]*\|){2} (?P<clicks>\d+) \| (?P<pages>\d+) \| (?P<fields>\d+) \|", re.M)
# A press is the mouse going down, or the key that uses what has the focus: Enter in a field sends its form.
TELL = """(() => {
  if (window !== window.top) return;
  const isField = (one) => one.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])");
  let typedInto;
  addEventListener("pointerdown", (event) => event.isTrusted && onTheWay("clicks"), true);
  addEventListener("keydown", ({ isTrusted, repeat, key, target }) => {
    if (!isTrusted || repeat) return;
    if (key === "Enter" ? !target.matches("textarea") : key === " " && !isField(target)) onTheWay("clicks");
  }, true);
  addEventListener("input", ({ target }) => {
    if (!isField(target) || target === typedInto) return;
    typedInto = target;
    onTheWay("fields");
  }, true);
})()"""


@dataclass
class Counted:
    """What it took: presses of mouse or key, pages (the first included), fields typed into."""

    clicks: int = 0
    pages: int = 1
    fields: int = 0

    def __str__(self) -> str:
        return "{} clicks, {} pages, {} fields".format(*astuple(self))


def written() -> dict[str, Counted]:
    """What docs/walks.md says that each walk takes."""
    rows = ROW.finditer(TABLE.read_text())
    return {row["name"]: Counted(*(int(row[one]) for one in ("clicks", "pages", "fields"))) for row in rows}


class Way:
    """Somebody on their way from the page that is open now. `reaches` says where to, and compares with the table."""

    def __init__(self, page: Page) -> None:
        self.page = page
        page.expose_binding("onTheWay", lambda _source, what: self._count(what))
        page.add_init_script(TELL)
        page.evaluate(TELL)
        page.on("domcontentloaded", lambda _: self._count("pages"))
        self.begins()

    def begins(self) -> None:
        """Count anew, from the page that is open now."""
        self.counted, self._since = Counted(), time.monotonic()

    def _count(self, what: str) -> None:
        setattr(self.counted, what, getattr(self.counted, what) + 1)

    def reaches(self, name: str) -> None:
        """The answer is seen. It must have taken what the table says, no more and no less."""
        self.page.wait_for_load_state("domcontentloaded")  # what is seen may be there before its page is told of
        print(f"{name}: {self.counted}, {time.monotonic() - self._since:.1f} s")
        assert self.counted == written()[name], f"{name}: took {self.counted}; docs/walks.md says {written()[name]}"
