"""What a measurement does inside the portal, in a process with the bed's settings. Answers are one line of JSON."""

import time
from pathlib import Path
from uuid import UUID

from benchmarks.answering import answer, contoso


def prepare() -> dict:
    """Tables, the connected tenant with no need of a second approver, and its directory's copy."""
    from directory import sync

    connect()
    began = time.monotonic()
    sync.sync_tenant(contoso())
    return {"sync_seconds": round(time.monotonic() - began, 2)}


def connect() -> dict:
    """The same without the copy."""
    from django.core.management import call_command

    from accounts.access import Actor
    from revocation.rules import two_persons
    from tenants import connecting
    from tests.sandbox_client import CONTOSO

    call_command("migrate", interactive=False, verbosity=0)
    tenant = connecting.connect(UUID(CONTOSO), actor=Actor.command_line(UUID(CONTOSO)))
    tenant.approval_threshold, tenant.write_share_percent = 1_000_000, 100
    tenant.rule_seal = two_persons.seal(tenant)
    tenant.save()
    return {}


def gate(rules: str) -> dict:
    """A gate with so many rules, each about somebody else, and a credential for it."""
    from django.db import connection

    from accounts.access import Actor
    from accounts.tenancy import tenant_context
    from b2c import selectors, services
    from benchmarks.gate import APP, POLICY

    tenant = contoso()
    with tenant_context(tenant.pk):
        services.change(
            tenant, {"is_b2c": True, "apps_by_policy": {POLICY: [str(APP)]}}, actor=Actor.command_line(tenant.pk)
        )
        for old in selectors.credentials(tenant):
            services.end_credential(tenant, old.pk, actor=Actor.command_line(tenant.pk))
        _made, secret = services.make_credential(tenant, actor=Actor.command_line(tenant.pk))
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM b2c_refreshrule")
            cursor.execute(_RULES, [tenant.pk, str(APP), tenant.pk, rules])
    return {"secret": secret}


_RULES = """
INSERT INTO b2c_refreshrule (id, tenant_id, person_id, person_label, app_id, app_label, policy_id, issued_before,
    condition, claim, value, reason, ticket, author_id, author_label, request_id, created_at, ended_by)
SELECT gen_random_uuid(), %s, ('00000010-0000-0000-0000-' || lpad(to_hex(n), 12, '0'))::uuid, '', %s, '', '', now(),
    '', '', '', '', '', 'bench', 'bench', %s, now(), ''
FROM generate_series(0, %s::int - 1) AS n
"""


def write_csv(path: str, count: str) -> dict:
    """A list as an export would be: a heading, semicolons, names and UPNs."""
    from accounts.tenancy import tenant_context

    tenant = contoso()
    with tenant_context(tenant.pk), Path(path).open("w", encoding="utf-8-sig") as file:
        people = _plain_people(tenant).order_by("-upn").values_list("display_name", "upn")[: int(count)]
        file.write("Name;User principal name\n")
        written = 0
        for name, upn in people.iterator(chunk_size=2000):
            file.write(f"{name};{upn}\n")
            written += 1
    return {"people": written}


def preview(path: str) -> dict:
    """From the file to the preview; nothing is asked of Microsoft."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from accounts.tenancy import tenant_context
    from revocation.lists import sources

    tenant, actor = contoso(), _actor()
    upload = SimpleUploadedFile("people.csv", Path(path).read_bytes())
    began = time.monotonic()
    with tenant_context(tenant.pk):
        draft = sources.draft(tenant, actor, {"source": "file", "file": upload, "recipe": "sign_out"})
    return {
        "draft": str(draft.pk),
        "digest": draft.digest,
        "counts": dict(draft.counts),
        "seconds": round(time.monotonic() - began, 2),
        "peak_mb": _peak(),
    }


def confirm(draft_id: str, digest: str) -> dict:
    """From the preview to the stored request, with every statement counted."""
    from django.db import connection

    from accounts.tenancy import tenant_context
    from revocation.lists import kept

    statements = {"COPY": 0, "INSERT": 0, "others": 0}

    def count(execute, sql, params, many, context):
        statements[next((kind for kind in statements if sql.lstrip().startswith(kind)), "others")] += 1
        return execute(sql, params, many, context)

    tenant, actor = contoso(), _actor()
    began = time.monotonic()
    with tenant_context(tenant.pk), connection.execute_wrapper(count):
        request = kept.confirm(tenant, UUID(draft_id), actor, digest=digest, reason="A measurement", high_priority=True)
    return {
        "request": str(request.pk),
        "steps": request.step_count,
        "statements": statements,
        "seconds": round(time.monotonic() - began, 2),
        "peak_mb": _peak(),
    }


def session(name: str, role: str = "helpdesk") -> dict:
    """A signed-in session for somebody of the cast, and the ids its pages need."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from accounts.tenancy import tenant_context
    from directory.models import Person
    from tests.factories import make_person

    tenant = contoso()
    with tenant_context(tenant.pk):
        known = Person.objects.get(tenant=tenant, display_name=name)
        person = make_person(tenant, known.pk, name, role, upn=known.upn)
    store = SessionStore()
    store[SESSION_KEY], store[BACKEND_SESSION_KEY] = str(person.user.pk), "accounts.backends.ScopedBackend"
    store[HASH_SESSION_KEY] = person.user.get_session_auth_hash()
    store["auth_time"] = int(time.time())
    store.create()
    return {"cookie": store.session_key}


def people(count: str) -> list[str]:
    """Object ids of people whom helpdesk may sign out and no list of ours names: the first by UPN."""
    from accounts.tenancy import tenant_context

    tenant = contoso()
    with tenant_context(tenant.pk):
        return [str(pk) for pk in _plain_people(tenant).order_by("upn").values_list("pk", flat=True)[: int(count)]]


def verify_audit() -> dict:
    from accounts.tenancy import tenant_context
    from audit import chain

    tenant = contoso()
    with tenant_context(tenant.pk):
        report = chain.verify(tenant.pk)
    return {"ok": report.ok}


def _plain_people(tenant):
    """Whom no rule protects, without those who are signed in here: a list must not end the visitor's own session."""
    from accounts.models import User
    from directory.models import Person

    visitors = User.objects.filter(tenant=tenant).values("object_id")
    return Person.objects.filter(tenant=tenant, is_external=False, role_template_ids=[]).exclude(pk__in=visitors)


def _actor():
    from accounts.access import Actor

    return Actor.command_line(contoso().pk)


def _peak() -> int:
    """The most memory this process had, in MB. Not `ru_maxrss`, in which Linux keeps the size of whoever forked."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024


if __name__ == "__main__":
    answer(prepare, connect, gate, write_csv, preview, confirm, session, people, verify_audit)
