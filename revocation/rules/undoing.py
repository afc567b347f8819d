"""What an undo may put back: the difference its request made, and nothing that somebody has spoken about since.

`objection` is asked once, before an undo begins, whoever asks for it: pages, commands and services alike. Whether the
directory is still as the removal left it, the step itself sees just before its call (`actions.create_grant`).
"""

from collections.abc import Sequence

from django.db.models import F, Q
from django.db.models.fields.json import KT

from accounts.access import Actor
from accounts.models import Tenant
from accounts.roles import Capability, capabilities
from directory.features import CONSENT_POLICY
from directory.models import ServicePrincipal
from graph.client import GraphClient
from graph.errors import GraphError
from graph.sentences import gettext as _
from revocation.models import RevocationRequest, RevocationStep
from revocation.steps import StepDraft

Kind = RevocationRequest.Kind


def objection(request: RevocationRequest, steps: Sequence[StepDraft], actor: Actor) -> str:
    """Why these steps, which would undo the request, may not be asked for now; empty where they may.

    Who may change apps, and the operator's shell, put back what they took however little people may consent to.
    """
    decides = actor.user_id is None or Capability.CHANGE_APPS in capabilities(actor.roles)
    clients = {step.params["client_id"] for step in steps if step.action == "create_grant"}
    theirs = clients and not decides
    if theirs and (why := _stopped(request.tenant, clients)):
        return why
    if later := _spoken_since(request):
        return _("%(who)s changed this since: “%(what)s”. Undo that first, or leave it as it is now.") % {
            "who": later.actor_label,
            "what": later.title,
        }
    return _not_theirs_to_give(request.tenant) if theirs else ""


def _spoken_since(request: RevocationRequest) -> RevocationRequest | None:
    """A later request, not undone, about the same app and the same person, or about the app as a whole."""
    took = set(_touched(request.steps.went_through()))
    later = RevocationRequest.objects.filter(tenant_id=request.tenant_id, created_at__gt=request.created_at)
    later = later.exclude(pk=request.pk).exclude(kind=Kind.UNDO, follows__created_at__gt=request.created_at)
    later = later.exclude(~Q(kind=Kind.UNDO), follows=request)  # its retry goes on with the same, and says nothing new
    undone = later.filter(followers__kind=Kind.UNDO).values("pk")
    steps = RevocationStep.objects.filter(tenant_id=request.tenant_id, request__in=later.exclude(pk__in=undone))
    steps = steps.exclude(state=RevocationStep.State.CANCELLED).exclude(target_type="user")
    apps, whole = {app for app, _person in took}, {app for app, person in took if not person}
    for app, person, pk in _touched(steps, "request_id"):
        if app in apps and (not person or app in whole or (app, person) in took):
            return RevocationRequest.objects.get(pk=pk)
    return None


def _touched(steps, *more: str):
    """The app and the person each step is about; no person where it is about everybody's or the app itself."""
    about = steps.annotate(client=KT("before__client_id"), person=KT("before__principal_id"))
    resource = KT("params__resource_id")
    columns = about.annotate(resource=resource, type=F("target_type")).values_list(
        "type", "target_id", "client", "resource", "person", *more
    )
    for kind, target, client, resource_id, person, *rest in columns.iterator(chunk_size=2000):
        if app := target if kind == "app" else client or resource_id:  # a rule of the gate is about none of these
            yield (app, "" if kind == "app" else person or "", *rest)


def _stopped(tenant: Tenant, clients: set[str]) -> str:
    """Nobody gives anything back to an app that was disabled or deleted for everyone."""
    apps = ServicePrincipal.objects.filter(tenant=tenant, pk__in=clients)
    if stopped := next((app for app in apps if app.is_stopped_here), None):
        return _("An administrator has stopped %(app)s for everyone, so it gets nothing back.") % {
            "app": stopped.display_name
        }
    return ""


def _not_theirs_to_give(tenant: Tenant) -> str:
    """Nobody gets through the portal what their organisation would not let them give at Microsoft.

    Which permissions and apps a policy lets through, Microsoft alone can tell; that there is none at all is plain.
    https://learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent
    """
    try:
        if GraphClient(tenant.pk, priority="high").own_consent_policies():
            return ""
    except GraphError:
        return _(
            "It is not known whether your organisation lets people consent to apps (the portal needs %(permission)s"
            " for that), so nothing was put back. You can let the app in again by signing in to it."
        ) % {"permission": CONSENT_POLICY.any_of[0]}
    return _("Your organisation no longer lets people consent to apps, so an administrator has to put this back.")
