"""Many people at once: every line accounted for, the plan before the button, one request for two clicks."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tenancy import tenant_context
from directory.models import PermissionGrant, Person as DirectoryPerson
from revocation.models import ListDraft, RevocationStep
from tests.copied import read_directory
from tests.factories import make_person
from tests.revocation.copies import GLOBAL_ADMINISTRATOR, app_with_consents, crowd, in_copy
from tests.revocation.pages import confirmed, paste, preview_of, requests_of, statuses, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def megan(contoso):
    return make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")


@pytest.fixture
def henrietta(contoso):
    return make_person(contoso, uuid4(), "Henrietta Mueller", "helpdesk")


@pytest.fixture
def admin(client, sign_in, megan):
    sign_in(client, megan)
    return client


# --- The preview --------------------------------------------------------------------------------------


def test_every_line_is_accounted_for_and_says_why(admin, contoso, entra):
    in_copy(contoso, "Adele Vance")
    in_copy(contoso, "Lee Gu", account_enabled=False)
    in_copy(contoso, "Lynne Robbins", is_external=True, home_domain="fabrikam.example", upn="lynne@guest.example")
    in_copy(contoso, "One Twin", upn="one@contoso.example", mail="twins@contoso.example")
    in_copy(contoso, "Other Twin", upn="other@contoso.example", mail="twins@contoso.example")
    root = in_copy(contoso, "Root Admin", role_template_ids=[GLOBAL_ADMINISTRATOR])
    lines = [
        "adele@contoso.example",
        "lee@contoso.example",
        "lynne@guest.example",
        "twins@contoso.example",
        str(root.pk),
        "nobody@contoso.example",
        "?!",
        "ADELE@contoso.example",
    ]

    page = paste(admin, "\n".join([*lines, "", ""]))

    assert statuses(page) == dict(
        zip(
            lines,
            ["found", "disabled", "guest", "ambiguous", "protected", "not_found", "unreadable", "duplicate"],
            strict=True,
        )
    )
    assert all(row.why for row in page.context["selection"].rows if not row.included)
    assert "fabrikam.example" in page.content.decode()
    assert page.context["selection"].blank == 1
    assert requests_of(contoso) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_spreadsheets_file_is_read(admin, contoso, entra, encoding, separator):
    in_copy(contoso, "Jörg Müßig", upn="joerg@contoso.example")
    data = f"Name{separator}UPN\r\nJörg Müßig{separator}joerg@contoso.example\r\n".encode(encoding)

    page = preview_of(admin, source="file", file=SimpleUploadedFile("people.csv", data))

    assert statuses(page) == {"joerg@contoso.example": "found"}


def test_a_workbook_is_refused_with_what_to_do(admin):
    answer = admin.post(
        url("new"), {"source": "file", "recipe": "sign_out", "file": SimpleUploadedFile("a.xlsx", b"PK\x03\x04....")}
    )

    assert answer.status_code == 422
    assert "Save the sheet as CSV" in answer.content.decode()


def test_an_empty_list_is_refused(admin, contoso):
    assert admin.post(url("new"), {"source": "paste", "recipe": "sign_out", "text": "\n\n"}).status_code == 422
    with tenant_context(contoso.pk):
        assert not ListDraft.objects.exists()


def test_the_whole_preview_can_be_taken_away(admin, contoso, entra):
    in_copy(contoso, "Adele Vance")
    draft = paste(admin, "adele@contoso.example\nnobody@contoso.example").context["draft"]

    lines = b"".join(admin.get(url("preview-download", draft.pk)).streaming_content).decode().splitlines()

    assert len(lines) == 3
    assert "not_found" in lines[2]


def test_a_preview_is_its_makers_alone_and_ends(admin, client, sign_in, contoso, henrietta):
    in_copy(contoso, "Adele Vance")
    draft = paste(admin, "adele@contoso.example").context["draft"]

    with tenant_context(contoso.pk):
        ListDraft.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert admin.get(url("preview", draft.pk)).status_code == 404
    with tenant_context(contoso.pk):
        ListDraft.objects.update(expires_at=timezone.now() + timedelta(hours=1))
    sign_in(client, henrietta)
    assert client.get(url("preview", draft.pk)).status_code == 404
    assert client.post(url("confirm", draft.pk), {"reason": "x", "digest": draft.digest}).status_code == 404


# --- Other sources ------------------------------------------------------------------------------------


def test_everyone_who_consented_to_an_app(admin, contoso):
    people = crowd(contoso, 3)
    crowd(contoso, 2, start=10)
    app = app_with_consents(contoso, people)

    page = preview_of(admin, source="app", app=str(app.pk))

    assert page.context["included"] == 3
    assert page.context["plan"].alternative.writes == 1
    assert url("contain-app", app.pk) in page.content.decode()


def test_a_mistyped_address_is_replaced_by_whom_it_meant(admin, contoso):
    crowd(contoso, 1)
    in_copy(contoso, "Johanna Lorenz")
    page = paste(admin, "person0@contoso.example\njohana@contoso.example\nnobody@elsewhere.example")

    assert "Did you mean johanna@contoso.example?" in page.content.decode()
    assert page.content.decode().count("Did you mean") == 1
    some = admin.get(url("preview-download", page.context["draft"].pk), {"show": "questions"})
    assert b"".join(some.streaming_content).decode().count("\r\n") == 3  # the heading, and two to look at

    where = url("change-line", page.context["draft"].pk)
    again = admin.post(where, {"line": "2", "address": "johanna@contoso.example"}, follow=True)

    assert again.context["included"] == 2
    assert [row.text for row in again.context["selection"].rows][1] == "johanna@contoso.example"
    assert requests_of(contoso) == []


def test_everyone_in_the_tenant_but_oneself(client, sign_in, contoso):
    me = make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")
    in_copy(contoso, "Megan Bowen", id=me.object_id)
    crowd(contoso, 4)
    sign_in(client, me)

    page = preview_of(client, source="everyone")

    assert page.context["included"] == 4
    draft = page.context["draft"]
    assert draft.counts["protected"] == 1

    assert confirmed(client, draft).status_code == 422  # alone, and everyone: how many they are is typed out
    assert confirmed(client, draft, typed="5").status_code == 422
    assert requests_of(contoso) == []
    confirmed(client, draft, typed="4")
    assert len(requests_of(contoso)) == 1


@pytest.mark.django_db(transaction=True)
def test_a_groups_members_are_read_from_graph(admin, contoso, entra):
    with tenant_context(contoso.pk):
        read_directory(contoso)
    group = next(tenant for tenant in entra.world()["tenants"] if tenant["id"] == str(contoso.pk))["groups"][0]
    found = admin.post(url("new") + "?source=group", {"find": "1", "q": group["displayName"]})

    page = preview_of(admin, source="group", group=group["id"])

    assert group["id"] in found.content.decode()
    assert page.context["selection"].rows


def test_an_unknown_group_is_refused(admin, contoso, entra):
    answer = admin.post(url("new"), {"source": "group", "recipe": "sign_out", "group": str(uuid4())})

    assert answer.status_code == 422


# --- Confirming ---------------------------------------------------------------------------------------


def test_it_asks_for_a_reason_and_makes_one_request(admin, contoso):
    people = crowd(contoso, 3)
    draft = paste(admin, "\n".join(person.upn for person in people)).context["draft"]

    refused = confirmed(admin, draft, reason=" ")
    first, second = confirmed(admin, draft), confirmed(admin, draft)

    assert refused.status_code == 422
    assert first["Location"] == second["Location"]
    (request,) = requests_of(contoso)
    assert (request.step_count, request.state, request.interactive) == (3, "running", False)
    assert url("list-download", request.pk) in admin.get(first["Location"]).content.decode()


def test_above_the_threshold_a_second_person_is_needed(admin, contoso):
    contoso.approval_threshold = 2
    contoso.save()
    people = crowd(contoso, 3)
    page = paste(admin, "\n".join(person.upn for person in people))

    confirmed(admin, page.context["draft"])

    assert page.context["plan"].needs_approval
    (request,) = requests_of(contoso)
    assert request.state == "awaiting_approval"


def test_a_rule_that_changed_meanwhile_stops_it(admin, contoso):
    people = crowd(contoso, 3)
    draft = paste(admin, "\n".join(person.upn for person in people)).context["draft"]
    contoso.break_glass_ids = [people[1].pk]
    contoso.save()

    answer = confirmed(admin, draft)

    assert answer["Location"] == url("preview", draft.pk)
    assert requests_of(contoso) == []


def test_another_digest_than_the_previews_makes_nothing(admin, contoso):
    draft = paste(admin, crowd(contoso, 1)[0].upn).context["draft"]

    confirmed(admin, draft, digest="0" * 64)

    assert requests_of(contoso) == []


def test_privileged_and_at_risk_people_go_first_and_disabled_ones_last(client, sign_in, contoso):
    root = in_copy(contoso, "Root Admin", role_template_ids=[GLOBAL_ADMINISTRATOR])
    me = make_person(contoso, uuid4(), "Megan Bowen", "tenant_admin")
    in_copy(contoso, "Megan Bowen", id=me.object_id, role_template_ids=[GLOBAL_ADMINISTRATOR])
    risky, usual = in_copy(contoso, "Risky One"), in_copy(contoso, "Usual One")
    disabled = in_copy(contoso, "Disabled One", account_enabled=False)
    app_with_consents(contoso, [risky])
    sign_in(client, me)

    draft = paste(client, "\n".join(p.upn for p in (disabled, usual, risky, root))).context["draft"]
    confirmed(client, draft)

    with tenant_context(contoso.pk):
        order = RevocationStep.objects.order_by("urgency", "position").values_list("target_label", flat=True)
        assert list(order) == ["Root Admin", "Risky One", "Usual One", "Disabled One"]


def test_the_plan_tells_of_active_people_only_where_some_are_known(admin, contoso):
    usual, active = in_copy(contoso, "Usual One"), in_copy(contoso, "Active One", last_active_at=timezone.now())

    def order(*people):
        page = paste(admin, "\n".join(person.upn for person in people)).content.decode()
        return "at-risk people first (0), then" in page, "active in the last seven days (1)" in page

    assert order(usual) == (True, False)
    assert order(usual, active) == (True, True)


def test_somebody_becoming_active_does_not_undo_the_plan_to_contain_an_app(admin, contoso):
    people = crowd(contoso, 2)
    app = app_with_consents(contoso, people)
    with tenant_context(contoso.pk):
        PermissionGrant.objects.update(risk=1)  # only activity sets them apart
    digest = admin.get(url("contain-app", app.pk)).context["contained"].digest
    last = max(people, key=lambda person: str(person.pk))
    with tenant_context(contoso.pk):
        DirectoryPerson.objects.filter(pk=last.pk).update(last_active_at=timezone.now())

    sent = {"reason": "Phishing", "digest": digest, "ticked": "yes", "parts": ["disable", "consents", "people"]}
    answer = admin.post(url("contain-app", app.pk), sent)

    assert answer.status_code == 302
    assert len(requests_of(contoso)) == 1


@pytest.mark.parametrize("name", ["people", "new", "preview", "confirm", "person", "contain-app"])
def test_a_page_costs_the_same_for_few_rows_and_for_many(admin, contoso, name):
    def cost(count, start):
        people = crowd(contoso, count, start=start)
        app = app_with_consents(contoso, people, f"App {start}")
        with tenant_context(contoso.pk):
            for number in range(count):
                app_with_consents(contoso, people[:1], f"More {start} {number}")
        if name in ("preview", "confirm"):
            address = url(name, preview_of(admin, source="app", app=str(app.pk)).context["draft"].pk)
        elif name == "person":
            address = url(name, people[0].pk)
        else:
            address = url(name, app.pk) if name == "contain-app" else url(name)
        assert admin.get(address).status_code == 200
        with CaptureQueriesContext(connection) as queries:
            admin.get(address)
        return len(queries)

    few, many = cost(3, 0), cost(60, 1000)

    assert many <= few <= 38  # above the threshold it is not asked what else was hit within the hour


def test_the_copys_rows_of_another_tenant_are_nobody_here(admin, contoso, fabrikam, entra):
    foreign = in_copy(fabrikam, "Robin Counts")

    page = paste(admin, f"{foreign.upn}\n{foreign.pk}")

    assert set(statuses(page).values()) == {"not_found"}
    with tenant_context(contoso.pk):
        assert not DirectoryPerson.objects.filter(pk=foreign.pk).exists()


def test_a_large_upload_is_read_as_a_stream(admin, contoso):
    people = crowd(contoso, 2000)
    data = io.BytesIO("\n".join(["UPN", *(person.upn for person in people)]).encode())

    page = preview_of(admin, source="file", file=SimpleUploadedFile("people.csv", data.getvalue()))

    assert page.context["included"] == 2000
    assert len(page.context["rows"]) == 100
