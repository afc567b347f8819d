from django.urls import path

from audit import views

app_name = "audit"

urlpatterns = [
    path("t/<slug:tenant>/audit/", views.entry_list, name="list"),
    path("t/<slug:tenant>/audit/export/", views.export, name="export"),
    path("t/<slug:tenant>/audit/export/found/", views.export_found, name="export-found"),
    path("t/<slug:tenant>/audit/entries/<int:sequence>/", views.entry, name="entry"),
    path("t/<slug:tenant>/audit/check/", views.check, name="check"),
    path("t/<slug:tenant>/audit/check/certificate/", views.certificate, name="certificate"),
]
