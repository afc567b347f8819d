from portal.celery import app as celery_app
from portal.version import VERSION

__all__ = ["VERSION", "celery_app"]
