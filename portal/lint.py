"""Django's own checks, as `make lint` runs them: no migration missing, and nothing unwise in a deployment's settings.

    python -m portal.lint

The settings are those of a real deployment at an https address with made-up keys; no database is needed.
"""

import os
import sys
import tempfile

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
    return 1 if changes else 0


if __name__ == "__main__":
    raise SystemExit(main())
