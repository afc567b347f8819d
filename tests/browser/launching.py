"""Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

CHROMIUMS = ("chromium-headless-shell", "chromium", "google-chrome")


@contextmanager
def a_browser() -> Iterator[Browser]:
    """The one that the environment's CHROMIUM names, or one that is installed.

    Raises:
        RuntimeError: there is none, and how to get it.
    """
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if not program:
        raise RuntimeError("Chromium is needed: apt-get install chromium-headless-shell, or set CHROMIUM to its path.")
    options = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's own refuses to work for root
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=options)
        yield running
        running.close()
