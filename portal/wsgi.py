import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()

from accounts import durations  # noqa: E402
from portal import observing  # noqa: E402
from portal.checks import refuse_unsafe_start  # noqa: E402
from portal.database import watch  # noqa: E402

refuse_unsafe_start(pages=True)
observing.begin("web")
watch.start()
durations.start()
# Every view is imported now: not while somebody waits for the first page of this process.
get_resolver().url_patterns  # noqa: B018
