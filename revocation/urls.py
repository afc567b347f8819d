from django.urls import path

from revocation import views, views_lists, views_requests

app_name = "revocation"

urlpatterns = [
    path("revocations/<uuid:pk>/", views.own_detail, name="own-detail"),
    path("revocations/<uuid:pk>/timeline/", views.own_timeline, name="own-timeline"),
    path("t/<slug:tenant>/people/", views.people, name="people"),
    path("t/<slug:tenant>/people/<uuid:pk>/", views.person, name="person"),
    path("t/<slug:tenant>/people/<uuid:pk>/sign-out/", views.sign_out, name="sign-out"),
    path("t/<slug:tenant>/revocations/", views_requests.request_list, name="list"),
    path("t/<slug:tenant>/revocations/new/", views_lists.new, name="new"),
    path("t/<slug:tenant>/revocations/lists/<uuid:pk>/", views_lists.preview, name="preview"),
    path("t/<slug:tenant>/revocations/lists/<uuid:pk>/download/", views_lists.download, name="preview-download"),
    path("t/<slug:tenant>/revocations/lists/<uuid:pk>/confirm/", views_lists.confirm, name="confirm"),
    path("t/<slug:tenant>/revocations/contain-app/<uuid:pk>/", views_lists.contain_app, name="contain-app"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/", views_requests.detail, name="detail"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/progress/", views_requests.progress, name="progress"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/pause/", views_requests.pause, name="pause"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/resume/", views_requests.resume, name="resume"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/cancel/", views_requests.cancel, name="cancel"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/retry/", views_requests.retry, name="retry"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/approve/", views_requests.approve, name="approve"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/reject/", views_requests.reject, name="reject"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/override/", views_requests.override, name="override"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/list/", views_requests.list_download, name="list-download"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/results.csv", views_requests.results_csv, name="results-csv"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/results.json", views_requests.results_json, name="results-json"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/report/", views_requests.report, name="report"),
    path("t/<slug:tenant>/revocations/<uuid:pk>/report.json", views_requests.report_json, name="report-json"),
]
