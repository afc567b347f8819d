"""docs/walks.md against the tests that count: each walk is counted, and none takes more than before or than it may."""

import re
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
ROW = re.compile(
    r"^\| (?P<name>[^|]+?) \|(?:[^|]*\|){2} (?P<clicks>\d+) \| \d+ \| \d+ \|"
    r" (?P<before>\d+|–) \| (?P<most>\d+) \| (?P<file>\w+\.py) \|$",
    re.M,
)
ROWS = [one.groupdict() for one in ROW.finditer((PROJECT / "docs" / "walks.md").read_text())]


def counted_in(file: Path) -> set[tuple[str, str]]:
    return {(file.name, name) for name in re.findall(r'\.reaches\("([^"]+)"\)', file.read_text())}


def test_every_walk_of_the_table_is_counted_where_it_says_and_no_other():
    counted = set().union(*map(counted_in, (PROJECT / "tests" / "browser").glob("test_*.py")))

    assert {(row["file"], row["name"]) for row in ROWS} == counted


def test_no_walk_takes_more_than_before_or_than_it_may():
    too_long = [
        row["name"]
        for row in ROWS
        if int(row["clicks"]) > int(row["most"]) or (row["before"] != "–" and int(row["clicks"]) > int(row["before"]))
    ]

    assert len(ROWS) > 15
    assert too_long == []
