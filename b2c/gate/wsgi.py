"""The gate as processes of its own, with nothing else mounted:

gunicorn -c python:b2c.gate.serving b2c.gate.wsgi --bind 127.0.0.1:8010 --workers 2
"""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
from django.utils.module_loading import import_string

os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings_gate"  # whatever the portal's own processes are given
application = get_wsgi_application()

# By name, as the settings are: no code here needs the floor above, but the process must not start unsafe.
import_string("portal.checks.refuse_unsafe_start")()
get_resolver().url_patterns  # noqa: B018 - the views are imported now, not while B2C waits for the first of them
