"""`python -m sandbox.b2c prove FOLDER`: what a folder of custom policies does to somebody who was revoked."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from sandbox.b2c.pretending import REVOKED_BY
from sandbox.b2c.proving import Asked, ProvedPolicy, prove
from sandbox.b2c.reading.files import Problem, read_folder

NAMES = {"refresh": "refresh", "sign_in": "sign-in", "silent": "silent renewal"}


def main(arguments: list[str] | None = None) -> int:
    """0: everything was read. 1: some file or policy could not be. 2: there is nothing to prove."""
    options = _read(arguments)
    try:
        policies = read_folder(options.folder)
    except NotADirectoryError:
        print(f"There is no folder {options.folder}.", file=sys.stderr)
        return 2
    asked = Asked(options.revoked_by, options.gate, options.minutes_after)
    found, problems = prove(policies, asked)
    print(_json(asked, found, problems) if options.json else _text(asked, found, problems))
    if not found:
        print("No file in the folder is a relying party's policy.", file=sys.stderr)
        return 2
    return 1 if problems else 0


def _read(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m sandbox.b2c", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("prove", help="the verdict for each relying party, door and person")
    one.add_argument("folder", type=Path)
    one.add_argument("--json", action="store_true")
    one.add_argument("--gate", choices=["refuse", "allow", "down"], help="what the gate says of the revoked person")
    one.add_argument("--revoked-by", choices=REVOKED_BY, default="gate", help="what was done to the revoked person")
    one.add_argument("--minutes-after", type=float, default=60, help="how long after the token was issued")
    return parser.parse_args(arguments)


def _json(asked: Asked, found: list[ProvedPolicy], problems: list[Problem]) -> str:
    document = {
        "asked": {
            "revoked_by": asked.revoked_by,
            "gate": asked.gate_says,
            "minutes_after": asked.minutes_after,
        },
        "policies": [asdict(one) for one in found],
        "errors": [asdict(one) for one in problems],
    }
    return json.dumps(document, indent=2)


def _text(asked: Asked, found: list[ProvedPolicy], problems: list[Problem]) -> str:
    lines = [f"Revoked by {asked.revoked_by}, {asked.minutes_after:g} minutes after; the gate: {asked.gate_says}."]
    for policy in found:
        lines += ["", policy.policy]
        for one in policy.doors:
            code = f" [{one.code}]" if one.code else ""
            lines.append(f"  {NAMES[one.door]:15}{one.person:11}{one.verdict:13}{one.why}{code}")
    if problems:
        lines += ["", "What could not be read:"]
        lines += [f"  {one.file}{f':{one.line}' if one.line else ''}: {one.why}" for one in problems]
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
