#!/usr/bin/env python
import errno
import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    # A migration may take its time, and whoever runs a command can stop it.
    os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "0")
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError

    try:
        execute_from_command_line(sys.argv)
    except (InterfaceError, OperationalError) as away:
        reason = " ".join(str(away).split()) or type(away).__name__
        sys.exit(f"The database does not answer: {reason}\nIs PostgreSQL running, and does DATABASE_URL name it?")
    except OSError as full:
        if full.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit(f"The disk is full: {full.filename or full}. Nothing more was written.")
