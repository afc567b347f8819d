"""Times as B2C writes them. Which form a claim has is not documented, so every form that was seen is read.

https://learn.microsoft.com/azure/active-directory-b2c/date-transformations
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_ISO = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)[T ](\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_AMERICAN = re.compile(
    r"(\d\d?)/(\d\d?)/(\d{4}),? (\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(AM|PM)?\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_SECONDS = re.compile(r"\d{9,11}(?:\.\d{1,9})?", re.ASCII)


def read(text: object) -> datetime | None:
    """The moment a text names; UTC where it names no zone. None where it cannot be read.

    A month always comes before its day between slashes: that is how .NET's invariant culture writes it.
    """
    text = str(text).strip() if isinstance(text, str | int | float) and not isinstance(text, bool) else ""
    if len(text) > 64:
        return None
    try:
        if found := _ISO.fullmatch(text):
            year, month, day, hour, minute, second, fraction, zone = found.groups()
            return _moment(year, month, day, hour, minute, second, fraction, zone)
        if found := _AMERICAN.fullmatch(text):
            month, day, year, hour, minute, second, fraction, half, zone = found.groups()
            return _moment(year, month, day, _hour(hour, half), minute, second, fraction, zone)
        if _SECONDS.fullmatch(text):
            return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError):
        return None
    return None


def _hour(hour: str, half: str | None) -> str:
    if not half:
        return hour
    number = int(hour)
    if not 1 <= number <= 12:
        raise ValueError(hour)
    return str(number % 12 + (12 if half.upper() == "PM" else 0))


def _moment(year, month, day, hour, minute, second, fraction, zone) -> datetime:
    micro = int((fraction or "0").ljust(6, "0")[:6])
    offset = UTC
    if zone and zone.upper() != "Z":
        digits = zone[1:].replace(":", "")
        away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        offset = timezone(-away if zone[0] == "-" else away)
    found = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro, offset)
    return found.astimezone(UTC)
