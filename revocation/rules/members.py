"""Who somebody of a request is among the tenant's members today."""

from accounts.ids import id_or_none
from accounts.models import Membership, User
from accounts.tenancy import user_context
from revocation.models import RevocationRequest


def asker(request: RevocationRequest) -> Membership | None:
    """The membership of whoever asked; None where they are no member (any more)."""
    object_id = id_or_none(request.actor_id)
    if object_id is None:
        return None
    members = Membership.objects.filter(tenant_id=request.tenant_id)
    own = members.filter(user__tenant_id=request.tenant_id, user__object_id=object_id).first()
    if own:
        return own
    for member in members.filter(source=Membership.Source.GRANTED):
        with user_context(member.user_id):  # the account belongs to another tenant
            if User.objects.filter(pk=member.user_id, object_id=object_id).exists():
                return member
    return None
