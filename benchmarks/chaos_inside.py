"""What a chaos run does inside the portal, in a process with the bed's settings. Answers are one line of JSON."""

import time

from benchmarks.answering import answer, contoso


def sign_out(count: str, first: str) -> dict:
    """Ask for a list to be signed out. `first` turns the list, so that two runs are no double click."""
    from accounts.access import Actor
    from accounts.tenancy import tenant_context
    from directory.models import Person
    from revocation import drafting, services

    tenant = contoso()
    with tenant_context(tenant.pk):
        plain = Person.objects.filter(tenant=tenant, is_external=False, role_template_ids=[])
        people = list(plain.order_by("upn").values_list("pk", "display_name")[: int(count)])
        turn = int(first) % len(people)
        request = services.submit(
            tenant=tenant,
            actor=Actor.command_line(tenant.pk),
            kind="sign_out",
            title=f"Sign out {len(people)} people",
            steps=drafting.sign_out_all(tenant, [(pk, name, None) for pk, name in people[turn:] + people[:turn]]),
            interactive=False,
            run_inline=False,
            needs_approval=False,
        )
    return {"request": str(request.pk), "people": len(people)}


def click(position: str) -> dict:
    """One person signed out by a click, and how long the click took, in this very process."""
    from accounts.access import Actor
    from accounts.tenancy import tenant_context
    from directory.models import Person
    from revocation import drafting, services

    tenant = contoso()
    with tenant_context(tenant.pk):
        plain = Person.objects.filter(tenant=tenant, is_external=False, role_template_ids=[]).order_by("-upn")
        seconds = []
        for person in plain[int(position) : int(position) + 3]:
            began = time.monotonic()
            request = services.submit(
                tenant=tenant,
                actor=Actor.command_line(tenant.pk),
                kind="sign_out",
                title="Sign out one person",
                steps=list(drafting.sign_out(tenant, person.pk, person.display_name)),
                needs_approval=False,
            )
            seconds.append(round(time.monotonic() - began, 2))
            request.refresh_from_db()
    return {"seconds": seconds, "state": request.state}


def verify_audit() -> dict:
    from accounts.tenancy import tenant_context
    from audit import chain

    tenant = contoso()
    with tenant_context(tenant.pk):
        return {"ok": chain.verify(tenant.pk).ok}


if __name__ == "__main__":
    answer(sign_out, click, verify_audit)
