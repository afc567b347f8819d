"""Connecting a tenant, and what its admin decides about it."""

from django.urls import path

from tenants.views import connection, gate, onboarding, policies, providers, settings, steps, uploading

app_name = "tenants"

urlpatterns = [
    path("onboarding/", onboarding.start, name="onboarding"),
    path("onboarding/callback/", onboarding.callback, name="onboarding-callback"),
    path("onboarding/waiting/", onboarding.waiting, name="onboarding-waiting"),
    path("t/<slug:tenant>/connection/", connection.connection, name="connection"),
    path("t/<slug:tenant>/settings/first-steps/", steps.first, name="first-steps"),
    path("t/<slug:tenant>/settings/", settings.settings, name="settings"),
    path("t/<slug:tenant>/settings/gate/", gate.gate, name="gate"),
    path("t/<slug:tenant>/settings/gate/policies/", policies.policies, name="policies"),
    path("t/<slug:tenant>/settings/gate/why/", gate.why_it_refreshes, name="why-it-refreshes"),
    path("t/<slug:tenant>/settings/gate/why/read/", gate.read_policies, name="read-policies"),
    path("t/<slug:tenant>/settings/gate/why/sign-out/", gate.choose_sign_out, name="choose-sign-out"),
    path("t/<slug:tenant>/settings/gate/policies/upload/", uploading.upload_policies, name="upload-policies"),
    path("t/<slug:tenant>/settings/gate/credentials/", gate.make_credential, name="make-credential"),
    path(
        "t/<slug:tenant>/settings/gate/credentials/<uuid:credential_id>/end/",
        gate.end_credential,
        name="end-credential",
    ),
    path("t/<slug:tenant>/settings/providers/", providers.providers, name="providers"),
    path("t/<slug:tenant>/settings/providers/<uuid:membership_id>/end/", providers.end, name="end-provider"),
]
