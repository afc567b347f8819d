"""Whether the account that PostgreSQL runs under can come to its folders. Python's own library is enough for this.

    python portal/local/way.py

Run as root, the embedded server is another account. `make` asks before it installs anything, and the server again.
"""

import os
import stat
import sys
from pathlib import Path

UNPRIVILEGED = "nobody"
PROJECT = Path(__file__).resolve().parents[2]


def objection(folder: Path) -> str:
    """What shuts the account out on the way to a folder, and what to do; empty where nothing does."""
    for parent in reversed(folder.resolve().parents):
        if not parent.exists():
            break
        mode = stat.S_IMODE(parent.stat().st_mode)
        if not mode & stat.S_IXOTH:
            return (
                f"PostgreSQL must not run as root, so it would run as '{UNPRIVILEGED}', who cannot enter {parent}\n"
                f"(mode {mode:04o}). Consentry changes no permissions there. "
                "Do one of these:\n"
                "  - run the same command as an ordinary user;\n"
                "  - clone the project into a folder open to others, for example /srv/consentry,\n"
                "    and leave VAR_DIR unset or set it to such a folder;\n"
                f"  - allow it yourself: chmod o+x {parent}\n"
                "  - use a PostgreSQL of your own: DATABASE_URL=postgres://user:password@host/database"
            )
    return ""


def main() -> int:
    if os.geteuid() or os.environ.get("DATABASE_URL"):
        return 0
    for folder in (PROJECT / ".venv" / "lib", Path(os.environ.get("VAR_DIR") or PROJECT / "var") / "postgres"):
        if said := objection(folder):
            print(said, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
