"""What waits for a person, and what people report."""

from django.urls import path

from inbox.views import items, mail, reports

app_name = "inbox"

urlpatterns = [
    path("apps/<uuid:app_id>/report/", reports.report, name="report"),
    path("reports/<uuid:report_id>/withdraw/", reports.withdraw, name="withdraw"),
    path("mail/", mail.choices, name="mail"),
    path("mail/off/<str:token>/", mail.off, name="mail-off"),
    path("t/<slug:tenant>/inbox/", items.inbox, name="inbox"),
    path("t/<slug:tenant>/inbox/<slug:kind>/<uuid:subject_id>/dealt-with/", items.deal_with, name="deal-with"),
    path("t/<slug:tenant>/inbox/<uuid:dealt_id>/reopen/", items.reopen, name="reopen"),
    path("t/<slug:tenant>/apps/<uuid:app_id>/keep/", items.keep, name="keep-app"),
]
