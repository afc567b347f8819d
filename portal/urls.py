from django.contrib import admin
from django.urls import include, path

from portal import health, looks

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("looks/", looks.choose, name="looks"),
    path("language/", looks.set_language, name="set_language"),
    path("operator/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("", include("consent.urls")),
    path("", include("tenants.urls")),
    path("", include("revocation.urls")),
    path("", include("inbox.urls")),
    path("", include("audit.urls")),
]

handler500 = "portal.errors.fault"
