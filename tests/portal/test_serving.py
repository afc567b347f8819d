"""How gunicorn serves the portal. What it does while a database hangs: test_database.py."""

import gc
import sys

from gunicorn.workers.gthread import ThreadWorker

from portal import serving


def test_nobody_waits_while_what_stays_for_good_is_looked_through_for_garbage(monkeypatch):
    monkeypatch.setattr(ThreadWorker, "load_wsgi", lambda self: None)
    worker = object.__new__(serving.Worker)
    try:
        worker.load_wsgi()

        assert "consent.views.apps" in sys.modules
        assert gc.get_freeze_count() > 100_000
    finally:
        gc.unfreeze()
