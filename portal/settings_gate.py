"""The settings of a process that is the refresh gate and nothing else: no pages, no sessions, no static files.

B2C waits thirty seconds and External ID one or two, so the database is given less time than a page would give it.
"""

import os

os.environ.setdefault("DATABASE_STATEMENT_SECONDS", "2")
os.environ.setdefault("DATABASE_CONNECT_SECONDS", "2")

from portal.settings import *  # noqa: F403

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
    "portal",
    "accounts",
    "audit",
    "directory",
    "b2c",
]
MIDDLEWARE = ["portal.health.answer_probes_first", "b2c.gate.middleware.answer_gate_first"]
ROOT_URLCONF = "b2c.gate.urls"
WSGI_APPLICATION = "b2c.gate.wsgi.application"
