from portal.celery import app as celery_app

__all__ = ["VERSION", "celery_app"]

VERSION = "0.1.0"  # as in pyproject.toml, which is not there where the portal runs
