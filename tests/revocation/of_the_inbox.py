"""What each service of the inbox is asked, and which event that must leave behind: for `test_record`."""

from audit.models import AuditEvent as E
from inbox import services
from tests.revocation.spine import actor


def _report(stage):
    return services.report_app(stage.adele.membership, stage.app())


def _deal_with(stage):
    return services.deal_with(stage.tenant, "reported", _report(stage).app_id, actor=actor(stage.megan), note="Ours")


CASES = {
    "inbox.services.report_app": (E.APP_REPORTED, _report),
    "inbox.services.withdraw_report": (
        E.REPORT_WITHDRAWN,
        lambda s: services.withdraw_report(s.adele.membership, _report(s)),
    ),
    "inbox.services.deal_with": (E.REPORT_ANSWERED, _deal_with),
    "inbox.services.reopen": (E.REOPENED, lambda s: services.reopen(s.tenant, _deal_with(s), actor=actor(s.megan))),
    "inbox.services.choose_mail": (E.MAIL_CHOSEN, lambda s: services.choose_mail(s.adele.user, {"others": "never"})),
}
