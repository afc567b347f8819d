"""What `manage.py check --deploy` says of the record."""

import os

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register


@register(Tags.security, deploy=True)
def heads_can_be_written(**kwargs) -> list[CheckMessage]:
    """Without a place for signed heads, entries cut off the end of the record would not be noticed.

    A warning and no error: a machine that runs no worker may well only read them.
    """
    folder = settings.AUDIT_HEADS_DIR
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return []
    hint = "Workers append a signed head for each tenant every minute. See docs/running.md, “The audit record”."
    return [Warning(f"AUDIT_HEADS_DIR cannot be written to: {folder}", hint=hint, id="audit.W001")]
