"""Django's own checks, as `make lint` runs them: no migration missing, and nothing unwise in a deployment's settings.

    python -m portal.lint

And one of ours: the web of the release before (`portal.released`) can work on this one's schema while it is replaced.

The settings are those of a real deployment at an https address with made-up keys; no database is needed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db.migrations.state import ProjectState
    from django.db.models import Field

DEPLOYMENT = {
    "PORTAL_URL": "https://consentry.example",
    "ALLOWED_HOSTS": "consentry.example",
    "SECRET_KEY": "lint-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    "AUDIT_KEYS": "a1" * 32,
    "TOKEN_CACHE_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "ENTRA_CLIENT_ID": "c0c0c0c0-0000-4000-8000-000000000001",
    "ENTRA_CLIENT_SECRET": "not-a-secret",
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/none",
    "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",  # nothing is collected here
    "DJANGO_SETTINGS_MODULE": "portal.settings",
}


def main() -> int:
    os.environ.pop("SANDBOX_URL", None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(DEPLOYMENT, VAR_DIR=folder)
        return _run()


def _run() -> int:
    import django
    from django.core.management import CommandError, call_command
    from django.db.migrations.autodetector import MigrationAutodetector
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.state import ProjectState

    django.setup()
    from django.apps import apps

    from portal import released

    try:
        call_command("check", deploy=True, fail_level="WARNING")
    except CommandError as problem:
        print(problem, file=sys.stderr)
        return 1

    # What `makemigrations --check` compares, without asking a database for its history.
    loader = MigrationLoader(None)
    if conflicts := loader.detect_conflicts():
        print(f"Migrations with the same parent: {conflicts}", file=sys.stderr)
        return 1
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(graph=loader.graph)
    for label, migrations in changes.items():
        for operation in (one for migration in migrations for one in migration.operations):
            print(f"No migration yet in {label}: {operation.describe()}", file=sys.stderr)
    before = loader.project_state(list(released.MIGRATIONS.items()))
    broken = list(breaks_the_release_before(before, loader.project_state()))
    for problem in broken:
        print(problem, file=sys.stderr)
    return 1 if changes or broken else 0


def breaks_the_release_before(before: ProjectState, after: ProjectState) -> Iterator[str]:
    """What the release before would meet on this schema: columns it must fill and does not know, or asks for in vain.

    Django takes a column's default away again once the rows that are there are filled; `db_default` stays.
    """
    for key, model in sorted(before.models.items()):
        label = f"{model.app_label}.{model.name}"
        if key not in after.models:
            yield f"{label}: the release before still asks for this table. Drop it one release later."
            continue
        old, new = model.fields, after.models[key].fields
        for name in sorted(old.keys() - new.keys()):
            yield f"{label}.{name}: the release before still asks for this column. Drop it one release later."
        for name, field in new.items():
            if _must_be_filled(field) and not (name in old and _must_be_filled(old[name])):
                yield f"{label}.{name}: the release before does not fill this column. Give it a db_default."


def _must_be_filled(field: Field) -> bool:
    return not (field.null or field.many_to_many or field.generated or field.has_db_default())


if __name__ == "__main__":
    raise SystemExit(main())
