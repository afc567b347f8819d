"""Pages about apps: one's own at the root, the tenant's under `/t/<tenant>/`."""

from django.urls import path

from consent.views import (
    activity,
    app_actions,
    apps,
    bulk,
    changes,
    deleted,
    me,
    overview,
    own_views,
    permissions,
    sign_out,
)

app_name = "consent"

urlpatterns = [
    # Me
    path("", me.my_apps, name="my-apps"),
    path("list/", me.listed, name="my-apps-list"),
    path("refresh/", me.refresh, name="refresh-my-apps"),
    path("apps/<uuid:app_id>/", me.my_app, name="my-app"),
    path("apps/remove/", me.remove_apps, name="remove-apps"),
    path("agents/<uuid:app_id>/", me.my_agent, name="my-agent"),
    path("apps/<uuid:app_id>/remove/", me.remove_app, name="remove-app"),
    path(
        "apps/<uuid:app_id>/permissions/<uuid:resource_id>/<path:scope>/remove/",
        me.remove_permission,
        name="remove-permission",
    ),
    path("removals/<uuid:request_id>/undo/", me.undo, name="undo"),
    path("sign-out-everywhere/", sign_out.sign_out_everywhere, name="sign-out-everywhere"),
    path("sign-out-everywhere/<uuid:request_id>/", sign_out.progress, name="sign-out-progress"),
    path("sign-out-everywhere/proof/<str:link>/", sign_out.proof, name="sign-out-proof"),
    path("sign-out-everywhere/proof/<str:link>/part/", sign_out.proof_progress, name="sign-out-proof-progress"),
    path("activity/", activity.my_activity, name="activity"),
    path("activity/<int:sequence>/not-me/", activity.not_me, name="not-me"),
    # Workspace
    path("t/<slug:tenant>/", overview.overview, name="overview"),
    path("t/<slug:tenant>/apps/", apps.apps, name="apps"),
    path("t/<slug:tenant>/apps.csv", apps.apps_csv, name="apps-csv"),
    path("t/<slug:tenant>/apps/count/", bulk.count, name="count-apps"),
    path("t/<slug:tenant>/apps/change/", bulk.change, name="change-apps"),
    path("t/<slug:tenant>/apps/keep-out/", bulk.keep_out, name="keep-out"),
    path("t/<slug:tenant>/views/keep/", own_views.keep, name="keep-view"),
    path("t/<slug:tenant>/views/<uuid:view_id>/delete/", own_views.delete, name="delete-view"),
    path("t/<slug:tenant>/changes/", changes.changes, name="changes"),
    path("t/<slug:tenant>/permissions/", permissions.permissions, name="permissions"),
    path("t/<slug:tenant>/permissions.csv", permissions.permissions_csv, name="permissions-csv"),
    path(
        "t/<slug:tenant>/permissions/<uuid:resource_id>/<slug:kind>/<path:value>/",
        permissions.permission,
        name="permission",
    ),
    path("t/<slug:tenant>/apps/<uuid:app_id>/", apps.app, name="app"),
    path(
        "t/<slug:tenant>/apps/<uuid:app_id>/people/<uuid:person_id>/revoke/",
        app_actions.revoke_user_consent,
        name="revoke-user-consent",
    ),
    path(
        "t/<slug:tenant>/apps/<uuid:app_id>/people/revoke/",
        app_actions.revoke_user_consents,
        name="revoke-user-consents",
    ),
    path(
        "t/<slug:tenant>/apps/<uuid:app_id>/revoke-organisation/",
        app_actions.revoke_tenant_consent,
        name="revoke-tenant-consent",
    ),
    path("t/<slug:tenant>/apps/<uuid:app_id>/disable/", app_actions.disable, name="disable-app"),
    path("t/<slug:tenant>/apps/<uuid:app_id>/enable/", app_actions.enable, name="enable-app"),
    path("t/<slug:tenant>/apps/<uuid:app_id>/delete/", app_actions.delete, name="delete-app"),
    path(
        "t/<slug:tenant>/apps/<uuid:app_id>/account/sign-out/",
        app_actions.sign_out_account,
        name="sign-out-account",
    ),
    path(
        "t/<slug:tenant>/apps/<uuid:app_id>/passes/<uuid:resource_id>/<slug:kind>/<path:value>/take/",
        app_actions.take_from_blueprint,
        name="take-from-blueprint",
    ),
    path("t/<slug:tenant>/deleted-apps/", deleted.deleted_apps, name="deleted-apps"),
    path("t/<slug:tenant>/deleted-apps/<uuid:app_id>/restore/", deleted.restore, name="restore-app"),
    path("t/<slug:tenant>/deleted-apps/<uuid:app_id>/purge/", deleted.purge, name="purge-app"),
]
