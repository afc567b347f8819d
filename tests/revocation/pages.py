"""What a person does on the pages about lists of people."""

from django.urls import reverse

from accounts.tenancy import tenant_context
from revocation.models import RevocationRequest


def url(name, *args):
    return reverse(f"revocation:{name}", args=["contoso", *args])


def preview_of(client, **fields):
    """Send the form and open the preview it leads to."""
    answer = client.post(url("new"), {"recipe": "sign_out"} | fields)
    assert answer.status_code == 302, answer.context["form"].errors
    return client.get(answer["Location"], {"show": "all"})


def paste(client, text, **fields):
    return preview_of(client, source="paste", text=text, **fields)


def statuses(page):
    return {row.text: str(row.status) for row in page.context["selection"].rows}


def confirmed(client, draft, follow=False, **fields):
    return client.post(url("confirm", draft.pk), {"reason": "Leaked", "digest": draft.digest} | fields, follow=follow)


def requests_of(tenant):
    with tenant_context(tenant.pk):
        return list(RevocationRequest.objects.filter(tenant=tenant))
