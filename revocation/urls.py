from django.urls import path

from revocation.views import lists, people, refresh_rules, requests, undoing

app_name = "revocation"

urlpatterns = [
    path("revocations/<uuid:pk>/", people.own_detail, name="own-detail"),
    path("revocations/<uuid:pk>/timeline/", people.own_timeline, name="own-timeline"),
    path("t/<slug:tenant>/people/", people.people, name="people"),
    path("t/<slug:tenant>/people/<uuid:pk>/", people.person, name="person"),
    path("t/<slug:tenant>/people/<uuid:pk>/sign-out/", people.sign_out, name="sign-out"),
    path("t/<slug:tenant>/people/<uuid:pk>/refuse-refresh/<uuid:app_id>/", refresh_rules.refuse, name="refuse-refresh"),
    path("t/<slug:tenant>/refresh-rules/", refresh_rules.rules, name="rules"),
    path("t/<slug:tenant>/refresh-rules/new/", refresh_rules.new, name="new-rule"),
    path("t/<slug:tenant>/refresh-rules/new/check/", refresh_rules.check, name="check-rule"),
    path("t/<slug:tenant>/refresh-rules/<uuid:pk>/", refresh_rules.rule, name="rule"),
    path("t/<slug:tenant>/refresh-rules/<uuid:pk>/end/", refresh_rules.end, name="end-rule"),
    path("t/<slug:tenant>/revocations/", requests.request_list, name="list"),
    path("t/<slug:tenant>/revocations/new/", lists.new, name="new"),
    path("t/<slug:tenant>/revocations/reading/<uuid:pk>/", lists.read, name="reading"),
    path("t/<slug:tenant>/revocations/lists/<uuid:pk>/", lists.preview, name="preview"),
    path("t/<slug:tenant>/revocations/lists/<uuid:pk>/download/", lists.download, name="preview-download"),
    path("t/<slug:tenant>/revocations/lists/<uuid:pk>/confirm/", lists.confirm, name="confirm"),
    path("t/<slug:tenant>/revocations/contain-app/<uuid:pk>/", lists.contain_app, name="contain-app"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/", requests.detail, name="detail"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/progress/", requests.progress, name="progress"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/pause/", requests.pause, name="pause"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/resume/", requests.resume, name="resume"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/cancel/", requests.cancel, name="cancel"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/retry/", requests.retry, name="retry"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/undo/", undoing.undo, name="undo"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/approve/", requests.approve, name="approve"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/reject/", requests.reject, name="reject"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/override/", requests.override, name="override"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/list/", requests.list_download, name="list-download"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/results.csv", requests.results_csv, name="results-csv"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/results.json", requests.results_json, name="results-json"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/report/", requests.report, name="report"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/report.json", requests.report_json, name="report-json"),
]
