"""Custom policies of an Azure AD B2C tenant: asking for their upload, which is a request like any other."""

from collections.abc import Iterator, Mapping

from accounts.access import Actor
from accounts.models import Tenant
from accounts.roles import Capability, capabilities
from accounts.tenancy import in_tenant
from b2c import kept
from b2c.policies.elements import PolicyError
from b2c.policies.model import PolicySet
from b2c.policies.reading import read
from graph.sentences import gettext as _, ngettext
from revocation.actions import upload_policy
from revocation.models import RevocationRequest
from revocation.rules.refusals import NotPossible
from revocation.services.asking import submit
from revocation.steps import StepDraft

KIND = upload_policy.UploadPolicy.name  # by which its name in lists is found
MOST = 10  # policies in one request: they are sent one after the other, a base before what builds on it


def upload(
    tenant: Tenant, files: Mapping[str, bytes], *, actor: Actor, reason: str, ticket: str = "", **options
) -> RevocationRequest:
    """Upload the policies in these files, each over what the portal read last of it.

    Raises:
        NotPossible: they are no policies, or the actor may not.
        NotGranted: the tenant is known not to have granted it.
    """
    with in_tenant(tenant.pk):
        if actor.user_id is not None and Capability.MANAGE_TENANT not in capabilities(actor.roles):
            raise NotPossible(_("Only an administrator of the organisation uploads policies."))
        found = readable(files)
        return submit(
            tenant=tenant,
            actor=actor,
            kind=KIND,
            title=title(found),
            steps=list(_steps(tenant, found, files)),
            reason=reason,
            ticket=ticket,
            **options,
        )


def readable(files: Mapping[str, bytes]) -> PolicySet:
    """These files as policies that may be uploaded together.

    Raises:
        NotPossible: why not.
    """
    if len(files) > MOST:
        raise NotPossible(_("At most %d policies are uploaded in one request.") % MOST)
    try:
        found = read(files)
    except PolicyError as error:
        raise NotPossible(str(error)) from None
    if found.duplicates:
        raise NotPossible(_("Two of the files hold the same policy id."))
    if not found.policies:
        raise NotPossible(_("There is no policy in these files."))
    for policy in found.policies.values():
        if not policy.id.lower().startswith("b2c_1a_"):
            raise NotPossible(
                _("%(policy)s cannot be uploaded: its id has to begin with B2C_1A_.") % {"policy": policy.id}
            )
    return found


def in_order(found: PolicySet) -> list[str]:
    """The ids, a base before what builds on it: B2C checks a policy against what is there already."""
    return sorted(found.policies, key=lambda one: (len(found.chain(one)), one))


def title(found: PolicySet) -> str:
    """What such a request is called."""
    if len(found.policies) == 1:
        return _("Upload the policy %(policy)s") % {"policy": next(iter(found.policies.values())).id}
    count = len(found.policies)
    return ngettext("Upload %(count)d policy", "Upload %(count)d policies", count) % {"count": count}


def _steps(tenant: Tenant, found: PolicySet, files: Mapping[str, bytes]) -> Iterator[StepDraft]:
    seen = kept.digests(tenant)
    for place, key in enumerate(in_order(found)):
        policy = found.policies[key]
        # Where nothing was ever read, nobody has seen what is there; the before-image is read all the same.
        over = seen.get(policy.id.lower(), upload_policy.ABSENT) if seen else None
        yield upload_policy.step(tenant, policy.id, files[policy.file], over=over, urgency=50 + place)
