"""Will it come back? The consent policy in force, in plain words, next to every removal and on the overview.

https://learn.microsoft.com/entra/identity/enterprise-apps/manage-app-consent-policies
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Tenant
from directory.features import CONSENT_POLICY, switched_off
from directory.models import ConsentRules
from revocation.showing.confirming import Truth

LEGACY, LOW, RECOMMENDED = (f"microsoft-user-default-{name}" for name in ("legacy", "low", "recommended"))
# Six mail clients that Microsoft exempts from its own rule; nothing that most people can use.
EXEMPT = frozenset({"microsoft-user-default-allow-consent-apps", "microsoft-user-allow-default-consent-apps"})


@dataclass(frozen=True)
class Policy:
    """Who may let apps in. `known` is False where the portal may not read it, or has not yet."""

    known: bool
    text: str
    read_at: datetime | None = None


def rules(tenant: Tenant) -> ConsentRules | None:
    """What was last read; None before that."""
    return ConsentRules.objects.filter(tenant=tenant).first()


def policy(tenant: Tenant) -> Policy:
    """What people may consent to at this tenant, as last read."""
    return policy_of(tenant, rules(tenant))


def policy_of(tenant: Tenant, rules: ConsentRules | None) -> Policy:
    if rules is None or rules.own_policies is None:
        why = switched_off(tenant, CONSENT_POLICY.key) or _("The organisation's consent policy was not read yet.")
        return Policy(False, _("It is not known whether people may let apps in themselves. %(why)s") % {"why": why})
    return Policy(True, _in_words(set(rules.own_policies)), rules.read_at)


def _in_words(policies: set[str]) -> str:
    """Policies are added up: whatever one of them lets through, people may consent to."""
    names = {name.rpartition(".")[2] for name in policies} - EXEMPT
    if not names:
        return _("People may not let apps in themselves: only an administrator can.")
    if LEGACY in names:
        return _("Everybody may let in any app themselves, for whatever needs no administrator: mail and files too.")
    if own := sorted(names - {LOW, RECOMMENDED}):
        return _("People may let apps in themselves, as far as the organisation's own policies go: %(names)s.") % {
            "names": ", ".join(own)
        }
    if RECOMMENDED in names:
        return _(
            "Microsoft decides what people may let in themselves: at present not what reads mail, chats, calendars or"
            " all files, which needs an administrator; sending mail or reading one's own files does not."
        )
    return _(
        "People may let in apps of verified publishers themselves, for permissions the organisation classified as low."
    )


def for_oneself(tenant: Tenant) -> Truth:
    """The line beside the removal of one's own consent, in that person's words."""
    known = rules(tenant)
    if known and known.own_policies == []:
        text = _("Only an administrator can let it in again: your organisation lets nobody do that themselves.")
        return Truth(_("Later"), text)
    return Truth(_("Later"), _("If the app asks again and you agree again, it has the permission back."))


def truths(tenant: Tenant, *, kept_out: bool = False) -> list[Truth]:
    """The line beside a removal.

    Args:
        kept_out: the app is disabled here, which is stronger than any policy.
    """
    if kept_out:
        text = _("While it is disabled here nobody can let it in again, whatever the policy says.")
        return [Truth(_("Comes back"), text)]
    return [Truth(_("Comes back"), policy(tenant).text)]
