"""Attacks on the portal as `make demo` runs it, with its own processes: python -m tests.attack [SECTION ...]

One line a section, and each attack that it did not hold; at the end `N of N held`. The short form of it runs with the
other tests (`tests/security/test_attacks_in_short.py`).
"""

import os
import sys
import time


def main(chosen: list[str]) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    from tests.attack import floods, pages, rows, tokens
    from tests.attack.ground import demo

    # What fills somebody's bucket, or locks a door, comes last.
    sections = [*pages.SECTIONS, *tokens.SECTIONS, *rows.SECTIONS, *floods.SECTIONS]
    if unknown := set(chosen) - {section.__name__ for section in sections}:
        print(
            f"There is no section {', '.join(sorted(unknown))}. There are: "
            f"{', '.join(section.__name__ for section in sections)}."
        )
        return 2
    tried = held = 0
    with demo() as ground:
        for section in sections:
            if chosen and section.__name__ not in chosen:
                continue
            began, results = time.monotonic(), list(section(ground))
            good = sum(one.held for one in results)
            print(
                f"{section.__name__:<12} {good:>4} of {len(results):>4} held  {time.monotonic() - began:5.0f} s",
                flush=True,
            )
            for one in results:
                if not one.held:
                    print(f"    NOT HELD: {one.what} ({one.seen})", flush=True)
            tried, held = tried + len(results), held + good
    print(f"{held} of {tried} held")
    return 0 if held == tried else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
