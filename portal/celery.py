"""The Celery application. A message is only a nudge: with the default broker (files under VAR_DIR) it may get lost."""

import gc
import logging
import os
from pathlib import Path

from celery import Celery
from celery.signals import beat_init, task_prerun, worker_init, worker_process_init, worker_ready

logger = logging.getLogger(__name__)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("consentry")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def make_folders(sender: Celery, **kwargs) -> None:
    """The filesystem broker does not make its folders itself."""
    for name in ("data_folder_in", "data_folder_out", "control_folder"):
        if folder := (sender.conf.broker_transport_options or {}).get(name):
            Path(folder).mkdir(parents=True, exist_ok=True)


@worker_init.connect
@beat_init.connect
def start_only_when_safe(**kwargs) -> None:
    """What a web server refuses, a worker and beat refuse too. Raises: SystemExit, which Celery lets through."""
    from django.core.exceptions import ImproperlyConfigured

    from portal.checks import refuse_unsafe_start

    try:
        refuse_unsafe_start()
    except ImproperlyConfigured as unsafe:
        raise SystemExit(str(unsafe)) from None


@worker_process_init.connect
def make_way(**kwargs) -> None:
    """A mass action may take its time; the pages that people wait for go first."""
    from accounts import durations
    from portal import observing

    observing.begin("worker")
    durations.start()
    os.nice(5)
    # Rows by the thousand, none of which is part of a circle: looking for circles took a fifth of a worker's time.
    gc.set_threshold(20_000, 20, 20)


@task_prerun.connect
def name_what_is_done(task_id: str, **kwargs) -> None:
    from graph import correlation

    correlation.begin(task_id)


@worker_ready.connect
def sweep_first(**kwargs) -> None:
    """A worker that starts looks at what is due, whatever messages are waiting for it."""
    from revocation.tasks import sweep

    try:
        sweep.apply_async(retry=False)
    except Exception as error:  # the broker's libraries raise what they like
        logger.warning("The first sweep could not be asked for (%s); beat will ask again.", type(error).__name__)
