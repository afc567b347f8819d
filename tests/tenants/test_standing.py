"""The operator's commands about tenants: listing, suspending, resuming."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.tenancy import tenant_context
from audit.models import AuditEntry, AuditEvent


def run(command, *arguments, **options) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out, **options)
    return out.getvalue()


def test_tenants_are_listed_one_json_line_each(contoso, fabrikam, adele):
    told = {one["slug"]: one for one in map(json.loads, run("tenants", json=True).splitlines())}

    assert set(told) == {"contoso", "fabrikam"}
    assert (told["contoso"]["state"], told["contoso"]["accounts"], told["fabrikam"]["accounts"]) == ("active", 1, 0)
    assert "contoso  active" in run("tenants", "contoso")


def test_nobody_of_a_suspended_tenant_works_until_it_is_resumed(client, sign_in, contoso, adele):
    sign_in(client, adele)
    assert client.get("/").status_code == 200

    run("suspend_tenant", "contoso", reason="unpaid")

    assert client.get("/").status_code == 302
    with pytest.raises(CommandError, match="suspended"):
        run("suspend_tenant", "contoso")
    run("resume_tenant", "contoso")
    with tenant_context(contoso.pk):
        adele.user.refresh_from_db()  # no session of before counts any more
    assert sign_in(client, adele).get("/").status_code == 200
    with tenant_context(contoso.pk):
        told = AuditEntry.objects.filter(event=AuditEvent.TENANT_CHANGED).order_by("sequence")
        assert [(one.after["state"], one.reason) for one in told] == [("suspended", "unpaid"), ("active", "")]
