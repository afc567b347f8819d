"""Who may open which URL: one row each. A new URL without a row here fails in `test_access`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from accounts.roles import CAPABILITIES, Capability, Role
from tests.stage import Stage

ROLES = [Role.USER, Role.HELPDESK, Role.APP_ADMIN, Role.TENANT_ADMIN, Role.AUDITOR]


def nothing(stage: Stage) -> dict:
    return {}


@dataclass(frozen=True)
class Row:
    """Who may use a URL.

    Attributes:
        needs: the capability; None where being signed in is enough.
        public: open to everyone, signed in or not.
        ids: what the URL names, taken from a stage.
        form: what is sent along with a POST, where nothing would be refused.
        who: the roles, where the capability alone does not say it.
        owned: whether what it names is the acting person's own, so that a colleague's is absent.
    """

    needs: Capability | None = None
    public: bool = False
    method: str = "get"
    ids: Callable[[Stage], dict] = nothing
    form: dict[str, str] = field(default_factory=dict)
    who: frozenset[str] | None = None
    owned: bool = False

    @property
    def roles(self) -> frozenset[str]:
        if self.who is not None:
            return self.who
        return frozenset(role for role in ROLES if self.needs is None or self.needs in allowed(role))


def allowed(role: str) -> frozenset[Capability]:
    return CAPABILITIES[Role.USER] | CAPABILITIES[role]


def entry_number(stage: Stage) -> dict:
    return {"sequence": stage.entry.sequence}


def permission_in_use(stage: Stage) -> dict:
    return {"resource_id": stage.resource.pk, "kind": "delegated", "value": "Mail.Read"}


def app_id(stage: Stage) -> dict:
    return {"app_id": stage.app.pk}


def agent_id(stage: Stage) -> dict:
    return {"app_id": stage.agent.pk}


def passed_on(stage: Stage) -> dict:
    return {"app_id": stage.blueprint.pk, "resource_id": stage.resource.pk, "kind": "delegated", "value": "Mail.Read"}


def deleted_app_id(stage: Stage) -> dict:
    return {"app_id": stage.deleted_app.pk}


def own_scope(stage: Stage) -> dict:
    return {"app_id": stage.app.pk, "resource_id": stage.resource.pk, "scope": "Mail.Read"}


def removal_id(stage: Stage) -> dict:
    return {"request_id": stage.removal.pk}


def own_sign_out_id(stage: Stage) -> dict:
    return {"request_id": stage.own_sign_out.pk}


def consent_id(stage: Stage) -> dict:
    return {"app_id": stage.app.pk, "person_id": stage.owner.object_id}


def person_pk(stage: Stage) -> dict:
    return {"pk": stage.person.pk}


def request_pk(stage: Stage) -> dict:
    return {"pk": stage.request.pk}


def own_request_pk(stage: Stage) -> dict:
    return {"pk": stage.removal.pk}


def draft_pk(stage: Stage) -> dict:
    return {"pk": stage.draft.pk}


def upload_pk(stage: Stage) -> dict:
    return {"pk": stage.upload.pk}


def rule_pk(stage: Stage) -> dict:
    return {"pk": stage.rule.pk}


def app_pk(stage: Stage) -> dict:
    return {"pk": stage.app.pk}


def membership_id(stage: Stage) -> dict:
    return {"membership_id": stage.provider_membership.pk}


def reported_app(stage: Stage) -> dict:
    return {"kind": "reported", "subject_id": stage.app.pk}


def own(ids: Callable[[Stage], dict] = nothing, **more) -> Row:
    return Row(Capability.OWN_APPS, ids=ids, owned=True, **more)


PUBLIC = Row(public=True)
SIGNED_IN = Row()
STEERING = Row(
    Capability.VIEW_REVOCATIONS, ids=request_pk, method="post", who=frozenset({Role.HELPDESK, Role.TENANT_ADMIN})
)
APPROVING = Row(Capability.VIEW_REVOCATIONS, ids=request_pk, method="post", who=frozenset({Role.TENANT_ADMIN}))
READS_REQUEST = Row(Capability.VIEW_REVOCATIONS, ids=request_pk)
CHANGES_APP = Row(Capability.CHANGE_APPS, ids=app_id)

TABLE: dict[str, Row] = {
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "metrics": PUBLIC,
    "looks": Row(public=True, method="post"),
    "set_language": Row(public=True, method="post"),
    # Signing in and out
    "accounts:ended": PUBLIC,
    "accounts:sign-in": PUBLIC,
    "accounts:signed-out": PUBLIC,
    "accounts:front-channel-logout": PUBLIC,
    "entra_login": Row(public=True, method="post"),
    "entra_callback": PUBLIC,
    "accounts:sign-out": Row(method="post"),
    "accounts:step-up": SIGNED_IN,
    "accounts:go-on": SIGNED_IN,
    "accounts:sessions": SIGNED_IN,
    "accounts:end-other-sessions": Row(method="post"),
    "accounts:end-session": Row(method="post", ids=lambda stage: {"pk": stage.session.pk}, owned=True),
    # Me
    "consent:my-apps": own(),
    "consent:my-apps-list": own(),
    "consent:refresh-my-apps": own(method="post"),
    "consent:my-app": own(app_id),
    "consent:my-agent": own(agent_id),
    "consent:remove-app": own(app_id),
    "consent:remove-apps": own(),
    "consent:remove-permission": own(own_scope),
    "consent:undo": own(removal_id, method="post"),
    "consent:sign-out-everywhere": own(),
    "consent:sign-out-progress": own(own_sign_out_id),
    "consent:sign-out-proof": Row(public=True, ids=lambda stage: {"link": "forged"}),
    "consent:sign-out-proof-progress": Row(public=True, ids=lambda stage: {"link": "forged"}),
    "consent:activity": own(),
    "consent:not-me": own(entry_number),
    "revocation:own-detail": own(own_request_pk),
    "revocation:own-timeline": own(own_request_pk),
    "inbox:report": own(app_id, method="post"),
    "inbox:withdraw": own(lambda stage: {"report_id": stage.report.pk}, method="post"),
    "inbox:mail": own(),
    "inbox:mail-off": Row(public=True, ids=lambda stage: {"token": "no-token"}),
    # Connecting a tenant
    "tenants:onboarding": PUBLIC,
    "tenants:onboarding-callback": PUBLIC,
    "tenants:onboarding-waiting": PUBLIC,
    # Workspace: apps
    "consent:overview": Row(Capability.VIEW_WORKSPACE),
    "inbox:inbox": Row(Capability.VIEW_WORKSPACE),
    "inbox:deal-with": Row(
        Capability.VIEW_WORKSPACE, ids=reported_app, method="post", who=frozenset({Role.APP_ADMIN, Role.TENANT_ADMIN})
    ),
    "inbox:reopen": Row(
        Capability.VIEW_WORKSPACE,
        ids=lambda stage: {"dealt_id": stage.dealt.pk},
        method="post",
        who=frozenset({Role.APP_ADMIN, Role.TENANT_ADMIN}),
    ),
    "inbox:keep-app": CHANGES_APP,
    "consent:apps": Row(Capability.VIEW_APPS),
    "consent:keep-view": Row(
        Capability.VIEW_WORKSPACE,
        method="post",
        form={"list": "apps", "query": "q=mail", "name": "x"},
    ),
    "consent:delete-view": Row(
        Capability.VIEW_WORKSPACE, method="post", ids=lambda stage: {"view_id": stage.view.pk}, owned=True
    ),
    "consent:changes": Row(Capability.VIEW_APPS),
    "consent:permissions": Row(Capability.VIEW_APPS),
    "consent:permissions-csv": Row(Capability.VIEW_APPS),
    "consent:permission": Row(Capability.VIEW_APPS, ids=permission_in_use),
    "consent:count-apps": Row(Capability.VIEW_APPS),
    "consent:change-apps": Row(Capability.CHANGE_APPS),
    "consent:keep-out": Row(Capability.CHANGE_APPS),
    "consent:apps-csv": Row(Capability.VIEW_APPS),
    "consent:app": Row(Capability.VIEW_APPS, ids=app_id),
    "consent:revoke-user-consent": Row(Capability.CHANGE_APPS, ids=consent_id),
    "consent:revoke-user-consents": Row(Capability.CHANGE_APPS, ids=app_id),
    "consent:revoke-tenant-consent": CHANGES_APP,
    "consent:sign-out-account": Row(Capability.CHANGE_APPS, ids=agent_id),
    "consent:take-from-blueprint": Row(Capability.CHANGE_APPS, ids=passed_on),
    "consent:disable-app": CHANGES_APP,
    "consent:enable-app": CHANGES_APP,
    "consent:delete-app": CHANGES_APP,
    "consent:deleted-apps": Row(Capability.CHANGE_APPS),
    "consent:restore-app": Row(Capability.CHANGE_APPS, ids=deleted_app_id),
    "consent:purge-app": Row(Capability.CHANGE_APPS, ids=deleted_app_id),
    "tenants:connection": Row(Capability.MANAGE_TENANT),
    "tenants:settings": Row(Capability.MANAGE_TENANT),
    "tenants:first-steps": Row(Capability.MANAGE_TENANT),
    "tenants:providers": Row(Capability.MANAGE_TENANT),
    "tenants:end-provider": Row(Capability.MANAGE_TENANT, ids=membership_id),
    "tenants:gate": Row(Capability.MANAGE_TENANT),
    "tenants:policies": Row(Capability.MANAGE_TENANT),
    "tenants:why-it-refreshes": Row(Capability.MANAGE_TENANT),
    "tenants:read-policies": Row(Capability.MANAGE_TENANT, method="post"),
    "tenants:choose-sign-out": Row(Capability.MANAGE_TENANT, method="post"),
    "tenants:upload-policies": Row(Capability.MANAGE_TENANT),
    "tenants:make-credential": Row(Capability.MANAGE_TENANT, method="post"),
    "tenants:end-credential": Row(Capability.MANAGE_TENANT, ids=lambda stage: {"credential_id": stage.credential.pk}),
    # Workspace: people and revocations
    "revocation:people": Row(Capability.VIEW_PEOPLE),
    "revocation:person": Row(Capability.VIEW_PEOPLE, ids=person_pk),
    "revocation:sign-out": Row(Capability.SIGN_OUT_PEOPLE, ids=person_pk),
    "revocation:secure": Row(Capability.SIGN_OUT_PEOPLE, ids=person_pk),
    "revocation:refuse-refresh": Row(
        Capability.SIGN_OUT_PEOPLE, ids=lambda stage: {"pk": stage.person.pk, "app_id": stage.app.app_id}
    ),
    "revocation:rules": Row(Capability.VIEW_REVOCATIONS),
    "revocation:new-rule": Row(Capability.MANAGE_TENANT),
    "revocation:check-rule": Row(Capability.MANAGE_TENANT),
    "revocation:rule": Row(Capability.VIEW_REVOCATIONS, ids=rule_pk),
    "revocation:end-rule": Row(Capability.SIGN_OUT_PEOPLE, ids=rule_pk),
    "revocation:list": Row(Capability.VIEW_REVOCATIONS),
    "revocation:listed": Row(Capability.VIEW_REVOCATIONS),
    "revocation:new": Row(Capability.SIGN_OUT_PEOPLE),
    "revocation:reading": Row(Capability.SIGN_OUT_PEOPLE, ids=upload_pk, owned=True),
    "revocation:preview": Row(Capability.SIGN_OUT_PEOPLE, ids=draft_pk, owned=True),
    "revocation:preview-download": Row(Capability.SIGN_OUT_PEOPLE, ids=draft_pk, owned=True),
    "revocation:change-line": Row(Capability.SIGN_OUT_PEOPLE, method="post", ids=draft_pk, owned=True),
    "revocation:confirm": Row(Capability.SIGN_OUT_PEOPLE, ids=draft_pk, owned=True),
    "revocation:contain-app": Row(Capability.CHANGE_APPS, ids=app_pk),
    "revocation:detail": READS_REQUEST,
    "revocation:progress": READS_REQUEST,
    "revocation:toast": READS_REQUEST,
    "revocation:pause": STEERING,
    "revocation:resume": STEERING,
    "revocation:cancel": STEERING,
    "revocation:undo": STEERING,
    "revocation:retry": STEERING,
    "revocation:approve": APPROVING,
    "revocation:reject": APPROVING,
    "revocation:override": APPROVING,
    "revocation:list-download": Row(Capability.VIEW_REVOCATIONS, ids=lambda stage: {"pk": stage.listed_request.pk}),
    "revocation:results-csv": READS_REQUEST,
    "revocation:results-json": READS_REQUEST,
    "revocation:report": READS_REQUEST,
    "revocation:report-json": READS_REQUEST,
    # Workspace: the record
    "audit:list": Row(Capability.VIEW_AUDIT),
    "audit:export": Row(Capability.VIEW_AUDIT, method="post"),
    "audit:export-found": Row(Capability.VIEW_AUDIT, method="post", form={"format": "json"}),
    "audit:entry": Row(Capability.VIEW_AUDIT, ids=entry_number),
    "audit:check": Row(Capability.VIEW_AUDIT),
    "audit:certificate": Row(Capability.VIEW_AUDIT, method="post"),
}
IN_WORKSPACE = [name for name, row in TABLE.items() if row.needs and row.needs != Capability.OWN_APPS]
CLOSED = [name for name, row in TABLE.items() if not row.public]
# What a public URL names is in a link that we signed; it is nobody's to look for.
NAMES_A_THING = [name for name, row in TABLE.items() if row.ids is not nothing and not row.public]
