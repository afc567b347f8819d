"""A process with a bed's settings: it carries out one command inside the portal and answers one line of JSON."""

import json
import sys
from collections.abc import Callable

import django


def answer(*commands: Callable) -> None:
    """Carry out the one that the command line names, with what it gives."""
    django.setup()
    name, *arguments = sys.argv[1:]
    print(json.dumps({one.__name__: one for one in commands}[name](*arguments)))


def contoso():
    """The tenant of every bed."""
    from accounts.models import Tenant

    return Tenant.objects.get(slug="contoso")
