"""What an operator does and what befalls them, with real processes: python -m tests.drill [SECTION ...]

One line each, and what was seen; at the end `N of N held`. What this machine lacks is said and not counted. The short
form of it runs with the other tests (`tests/services/test_drills_in_short.py`).
"""

import signal
import sys
import time


def main(chosen: list[str]) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was started is stopped
    from tests.drill import disks, frozen, restoring, rotation, starving, upgrade

    rooms = (restoring, rotation, upgrade, frozen, disks, starving)
    sections = [section for room in rooms for section in room.SECTIONS]
    if unknown := set(chosen) - {section.__name__ for section in sections}:
        known = ", ".join(section.__name__ for section in sections)
        print(f"There is no section {', '.join(sorted(unknown))}. There are: {known}.")
        return 2
    tried = held = 0
    for section in sections:
        if chosen and section.__name__ not in chosen:
            continue
        began = time.monotonic()
        for one in section():
            print(f"{section.__name__:<10} {'held' if one.held else 'NOT HELD':<9} {one.what}: {one.seen}", flush=True)
            tried, held = tried + 1, held + one.held
        print(f"{section.__name__:<10} {time.monotonic() - began:.0f} s", flush=True)
    print(f"{held} of {tried} held")
    return 0 if held == tried else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
