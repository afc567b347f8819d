"""The portal's own settings, on a database, keys and folders made for one test run.

Environment variables come first, so that the processes that tests start (workers, web servers) see the same.
"""

import os
import socket
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from portal.local.postgres import Server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# With pytest-xdist the first process sets these, and its workers inherit them.
if "VAR_DIR" not in os.environ:
    _folder = tempfile.mkdtemp(prefix="consentry-test-")
    Path(_folder).chmod(0o711)  # run as root, the embedded server is another account that must pass through
    os.environ["VAR_DIR"] = os.environ["CONSENTRY_TEST_FOLDER"] = _folder
if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = Server(Path(os.environ["VAR_DIR"])).url
    os.environ["CONSENTRY_TEST_SERVER"] = os.environ["VAR_DIR"]  # tests/conftest.py starts and stops it
os.environ.setdefault("SECRET_KEY", "tests-only-" + "k" * 50)
os.environ.setdefault("TOKEN_CACHE_KEYS", Fernet.generate_key().decode())
os.environ.setdefault("AUDIT_KEYS", "a1" * 32)
os.environ.setdefault("ENTRA_CLIENT_ID", "c0c0c0c0-0000-4000-8000-000000000001")
os.environ.setdefault("ENTRA_CLIENT_SECRET", "sandbox-portal-secret")
os.environ.setdefault("STATICFILES_STORAGE", "django.contrib.staticfiles.storage.StaticFilesStorage")
os.environ.setdefault("EMAIL_URL", "memorymail://")
os.environ.setdefault("LOG_LEVEL", "WARNING")
# Never the developer's own: a test that names no broker or sandbox reaches none.
os.environ["SANDBOX_URL"] = f"http://127.0.0.1:{_free_port()}"

from portal.settings import *  # noqa: E402, F403
from portal.settings import VAR_DIR  # noqa: E402

STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns about a missing folder
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]  # Django adds the name its test client uses
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_BROKER_URL = "memory://localhost//"  # nudges go nowhere: tests run tasks and the executor by hand
CELERY_BROKER_TRANSPORT = "memory"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
