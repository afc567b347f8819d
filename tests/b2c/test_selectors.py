"""The gate's one query: this person's rules and everyone's, found by an index."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.tenancy import tenant_context
from b2c import selectors
from b2c.models import EVERYONE, RefreshRule
from b2c.tasks import tidy

pytestmark = pytest.mark.django_db

INES, KARIM, STORE = uuid4(), uuid4(), uuid4()


@pytest.fixture
def make(at_contoso):
    def make(person_id: UUID = INES, **fields) -> RefreshRule:
        when = {} if "condition" in fields else {"issued_before": timezone.now()}
        who = {"author_id": "x", "author_label": "Henrietta", "request_id": uuid4()}
        return RefreshRule.objects.create(tenant=at_contoso, person_id=person_id, **(who | when | fields))

    return make


def test_only_rules_in_force_about_this_person_or_everyone_at_this_policy(make, at_contoso):
    now = timezone.now()
    mine, everyones = make(), make(EVERYONE, condition="missing", claim="country")
    here, later = make(policy_id="b2c_1a_store"), make(expires_at=now + timedelta(hours=1))
    make(KARIM)
    make(policy_id="b2c_1a_other")
    make(ended_at=now)
    make(expires_at=now - timedelta(seconds=1))

    found = selectors.rules_to_apply(at_contoso.pk, INES, "b2c_1a_store")

    assert {rule.id for rule in found} == {mine.pk, everyones.pk, here.pk, later.pk}


def test_another_tenant_has_none_of_them(make, at_contoso, fabrikam):
    make()

    with tenant_context(fabrikam.pk):
        assert selectors.rules_to_apply(at_contoso.pk, INES, "b2c_1a_store") == []
        assert selectors.rules_to_apply(fabrikam.pk, INES, "b2c_1a_store") == []


def test_it_is_one_query_that_an_index_answers(make, at_contoso, django_assert_num_queries):
    rows = [
        RefreshRule(
            tenant=at_contoso, person_id=uuid4(), issued_before=timezone.now(), author_id="x", request_id=uuid4()
        )
        for _ in range(3000)
    ]
    RefreshRule.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE b2c_refreshrule")
        cursor.execute("EXPLAIN " + selectors._TO_APPLY, [at_contoso.pk, INES, EVERYONE, "b2c_1a_store"])
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "rule_to_apply" in plan
    assert "Seq Scan" not in plan
    with django_assert_num_queries(1):
        selectors.rules_to_apply(at_contoso.pk, INES, "b2c_1a_store")


def test_what_ran_out_is_put_away(make):
    now = timezone.now()
    over, still = make(expires_at=now - timedelta(seconds=1)), make(expires_at=now + timedelta(hours=1))

    tidy()

    over.refresh_from_db()
    assert over.ended_at == over.expires_at
    assert list(RefreshRule.objects.filter(ended_at=None)) == [still]


def test_a_rule_says_when_and_only_once(make):
    for odd in ({"condition": ""}, {"condition": "missing"}, {"condition": "missing", "claim": "country"}):
        extra = {"issued_before": timezone.now()} if odd.get("claim") else {}
        with pytest.raises(IntegrityError), transaction.atomic():
            make(**odd, **extra)
