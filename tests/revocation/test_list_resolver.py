"""Resolving a list: nothing is dropped, the copy is asked a fixed number of times, and Graph only for the rest."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings, strategies as st

from accounts.access import Actor
from accounts.tenancy import tenant_context
from directory import sync
from revocation.lists import kept, parser, recipes, resolver, selection
from revocation.lists.parser import Tally
from revocation.lists.selection import Row, Selection, Status
from revocation.models import ListDraft
from tests.revocation.copies import app_with_consents, crowd, in_copy

pytestmark = pytest.mark.django_db
ANYBODY = Actor(id=str(uuid4()), label="Henrietta Mueller", roles=frozenset({"helpdesk"}))


@pytest.fixture
def inside(contoso):
    with tenant_context(contoso.pk):
        yield contoso


def resolved(tenant, text):
    tally = Tally()
    return resolver.resolve(tenant, parser.parse_text(text, tally), ANYBODY, tally)


WORDS = [
    "person1@contoso.example",
    "PERSON2@CONTOSO.EXAMPLE",
    "nobody@contoso.example",
    str(uuid4()),
    "Adele",
    "",
    " ;",
]
LINES = st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map(";".join) | st.text(max_size=30), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=LINES)
def test_every_line_ends_as_a_person_a_question_a_heading_or_blank(inside, monkeypatch, lines):
    monkeypatch.setattr(resolver, "GRAPH_LOOKUPS", 0)
    if not inside.pk or not getattr(inside, "crowded", False):
        crowd(inside, 3)
        inside.crowded = True

    found = resolved(inside, "\n".join(lines))

    named = {row.line for row in found.rows}
    assert all(row.status in Status.values for row in found.rows)
    assert all(row.why for row in found.rows if not row.included)
    assert len(named) + found.blank + found.headings <= found.lines
    if not any('"' in line for line in lines):  # a quoted cell may span several lines
        assert len(named) + found.blank + found.headings == found.lines
    people = [row.person_id for row in found.people()]
    assert len(people) == len(set(people))


@given(
    rows=st.lists(
        st.builds(
            Row,
            line=st.integers(0, 10**6),
            text=st.text(max_size=20),
            status=st.sampled_from(Status.values),
            person_id=st.text(max_size=5),
            label=st.text(max_size=20),
            upn=st.text(max_size=20),
            why=st.text(max_size=20),
            urgency=st.integers(0, 99),
        )
    )
)
def test_what_is_kept_is_what_was_resolved(rows):
    kept = Selection.unpacked(Selection(rows, 5, 1, 2).packed())

    assert (kept.rows, kept.lines, kept.blank, kept.headings) == (rows, 5, 1, 2)


@given(people=st.lists(st.uuids(), max_size=20), data=st.data())
def test_a_digest_knows_the_set_and_not_its_order(people, data):
    shuffled = data.draw(st.permutations(people))

    assert selection.digest_of(["a", "b"], people) == selection.digest_of(["b", "a"], shuffled)
    assert selection.digest_of(["a"], people) != selection.digest_of(["a"], [*people, uuid4()])


def test_between_urgent_and_usual_people_go_those_known_to_be_active(inside):
    now = timezone.now()
    risky = in_copy(inside, "Risky One", last_active_at=now)
    in_copy(inside, "Active One", last_active_at=now - timedelta(days=6))
    in_copy(inside, "Stale One", last_active_at=now - timedelta(days=8))
    in_copy(inside, "Unknown One")
    in_copy(inside, "Disabled One", account_enabled=False, last_active_at=now)
    app_with_consents(inside, [risky])

    names = ("disabled", "unknown", "stale", "active", "risky")
    found = resolved(inside, "\n".join(f"{name}@{inside.domain}" for name in names))

    assert [(row.label, row.urgency) for row in found.people()] == [
        ("Risky One", selection.AT_RISK),
        ("Active One", selection.RECENT),
        ("Unknown One", selection.USUAL),
        ("Stale One", selection.USUAL),
        ("Disabled One", selection.LAST),
    ]


def test_a_longer_list_costs_no_more_queries(inside):
    crowd(inside, 600)

    def cost(count):
        with CaptureQueriesContext(connection) as queries:
            resolved(inside, "\n".join(f"person{number}@{inside.domain}" for number in range(count)))
        return len(queries)

    assert cost(5) == cost(600)


def test_one_person_under_three_names_is_one_person(inside):
    person = in_copy(inside, "Adele Vance", mail="a.vance@contoso.example")

    found = resolved(inside, f"{person.upn}\n{person.mail}\n{person.pk}")

    assert [str(row.status) for row in found.rows] == ["found", "duplicate", "duplicate"]
    assert "line 1" in found.rows[2].why


@pytest.mark.django_db(transaction=True)
def test_whom_the_copy_does_not_know_is_looked_up_in_graph(contoso, entra):
    with tenant_context(contoso.pk):
        sync.sync_tenant(contoso, kinds=["service_principals"])

        found = resolved(contoso, "adele@contoso.example\nnobody@contoso.example")

    assert [str(row.status) for row in found.rows] == ["found", "not_found"]
    assert "Microsoft Graph knows" in found.rows[1].why


@pytest.mark.django_db(transaction=True)
def test_when_graph_does_not_answer_the_reason_is_said(contoso, entra):
    entra.faults({"path": "/users", "method": "GET", "status": 403, "where": "item"})
    with tenant_context(contoso.pk):
        found = resolved(contoso, "adele@contoso.example")

    assert str(found.rows[0].status) == "not_found"
    assert "could not be asked" in found.rows[0].why


@pytest.mark.django_db(transaction=True)
def test_a_list_of_strangers_does_not_use_up_the_quota(contoso, entra):
    with tenant_context(contoso.pk):
        found = resolved(contoso, "\n".join(f"stranger{number}@contoso.example" for number in range(1000)))

    batches = [request for request in entra.requests() if "$batch" in request["path"]]
    assert 0 < len(batches) <= 20
    assert {str(row.status) for row in found.rows} == {"not_found"}
    assert "Refresh the copy" in found.rows[-1].why


def test_steps_are_made_in_a_fixed_number_of_queries_per_chunk(inside):
    people = crowd(inside, 300)
    app_with_consents(inside, people[:20])

    def cost(count):
        rows = [Row(0, "", Status.FOUND, person_id=str(p.pk), label=p.display_name) for p in people[:count]]
        with CaptureQueriesContext(connection) as queries:
            steps = list(recipes.for_people(inside, "contain_people", rows))
        return len(queries), len(steps)

    assert cost(10) == (cost(300)[0], 20)
    assert cost(300)[1] == 320


def test_outdated_previews_go_when_a_new_one_comes(inside):
    previews = [kept.keep(inside, ANYBODY, Selection([]), recipe="sign_out", actions=[], source="paste") for _ in "ab"]
    ListDraft.objects.filter(pk=previews[0].pk).update(expires_at=previews[0].created_at)

    kept.keep(inside, ANYBODY, Selection([]), recipe="sign_out", actions=[], source="paste")

    assert set(ListDraft.objects.values_list("pk", flat=True)) >= {previews[1].pk}
    assert not ListDraft.objects.filter(pk=previews[0].pk).exists()
