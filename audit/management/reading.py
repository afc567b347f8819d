"""Reading what somebody hands to a command."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError


def read_json(path: Path) -> Any:
    """What a JSON file says. Raises CommandError, in words, where it cannot be read or is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{path} is not JSON.") from error
