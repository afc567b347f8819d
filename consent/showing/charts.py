"""Charts as plain geometry: the template draws rectangles, because the page allows no inline style or script."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format
from django.utils.translation import gettext as _, ngettext

from graph.sentences import grouped

WIDTH, BASE, TOP, LEFT = 480, 150, 22, 38
STANDS_OUT = 3  # times the usual week


@dataclass(frozen=True)
class Week:
    start: date
    count: int
    url: str = ""


@dataclass(frozen=True)
class Bar:
    label: str
    count: int
    look: str
    x: float
    y: float
    width: float
    height: float
    tick: str = ""
    url: str = ""  # where what it counts is listed

    @property
    def text_x(self) -> float:
        """Where the number beside a lying bar starts."""
        return round(self.x + self.width + 8, 1)


@dataclass(frozen=True)
class Chart:
    bars: list[Bar]
    grid: list[tuple[float, int]]  # y of a line, and the number beside it
    summary: str


def per_week(weeks: Sequence[Week]) -> Chart:
    """New grants week by week; a week of at least three times the usual stands out."""
    top = _round_up(max((week.count for week in weeks), default=0))
    usual = sorted(week.count for week in weeks)[len(weeks) // 2] if weeks else 0
    step = (WIDTH - LEFT) / max(len(weeks), 1)
    bars, months = [], set()
    for number, week in enumerate(weeks):
        height = (BASE - TOP) * week.count / top
        month = date_format(week.start, "M")
        bars.append(
            Bar(
                label=date_format(week.start, "DATE_FORMAT"),
                count=week.count,
                look="b-high" if _stands_out(week.count, usual) else "b",
                x=round(LEFT + step * number + step * 0.17, 1),
                y=round(BASE - height, 1),
                width=round(step * 0.66, 1),
                height=round(height, 1),
                tick="" if month in months or _month_ends(weeks, number) else month,
                url=week.url,
            )
        )
        months.add(month)
    grid = [(BASE - (BASE - TOP) * part, int(top * part)) for part in (0, 0.5, 1)]
    return Chart(bars, grid, _weeks_summary(weeks, usual))


def by_risk(counts: dict[int, int], urls: dict[int, str]) -> Chart:
    """Apps by risk, as three rows; anything present is at least visible."""
    rows = [(3, _("High"), "b-high"), (2, _("Medium"), "b-medium"), (1, _("Low"), "b-low")]
    top = max([*counts.values(), 1])
    bars = [
        Bar(word, count, look, 72, 14 + 42 * row, _length(count, top), 20, url=urls[risk])
        for row, (risk, word, look) in enumerate(rows)
        for count in [counts.get(risk, 0)]
    ]
    summary = _("%(high)s high, %(medium)s medium, %(low)s low.") % {
        "high": grouped(counts.get(3, 0)),
        "medium": grouped(counts.get(2, 0)),
        "low": grouped(counts.get(1, 0)),
    }
    return Chart(bars, [], summary)


def _month_ends(weeks: Sequence[Week], number: int) -> bool:
    """Whether the next bar begins another month, whose name would run into this one's."""
    return number + 1 < len(weeks) and weeks[number + 1].start.month != weeks[number].start.month


def _length(count: int, top: int) -> float:
    return round(max(3.0, 340 * count / top), 1) if count else 0


def _stands_out(count: int, usual: int) -> bool:
    return count >= 5 and count >= STANDS_OUT * max(usual, 1)


def _round_up(number: int) -> int:
    """The next even number of two leading digits, so that the middle line is a whole number too."""
    if number <= 2:
        return 2
    unit = 10 ** max(len(str(number)) - 2, 0) * 2
    return -(-number // unit) * unit


def _weeks_summary(weeks: Sequence[Week], usual: int) -> str:
    total = sum(week.count for week in weeks)
    if not total:
        return _("No new grants in %(time)s.") % {"time": _in_weeks(weeks)}
    high = [week for week in weeks if _stands_out(week.count, usual)]
    if high:
        text = ngettext(
            "One week stands out: %(count)s grants.", "%(weeks)d weeks stand out: %(count)s grants.", len(high)
        )
        return text % {"weeks": len(high), "count": grouped(sum(week.count for week in high))}
    text = ngettext("%(count)s new grant in %(time)s.", "%(count)s new grants in %(time)s.", total)
    return text % {"count": grouped(total), "time": _in_weeks(weeks)}


def _in_weeks(weeks: Sequence[Week]) -> str:
    return ngettext("%(n)d week", "%(n)d weeks", len(weeks)) % {"n": len(weeks)}
