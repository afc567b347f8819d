"""Rows that are copied are the rows that were meant, whatever stands in their texts."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from directory.models import ServicePrincipal
from directory.sync import copying

ODD = ["plain", "tab\tand\nline\r", "back\\slash", 'quo"ted', "{a,b}", "\\N", "NULL", "", "naïve – 名前", "\\.", "it's"]


@pytest.mark.parametrize("many", [True, False], ids=["copied", "one statement"])
def test_every_value_arrives_as_it_was(inside, monkeypatch, many):
    monkeypatch.setattr(copying, "FEW", 0 if many else 1000)
    at = datetime(2026, 11, 26, 12, 0, 0, 123456, tzinfo=UTC)

    def row(number: int, text: str, **more) -> ServicePrincipal:
        return ServicePrincipal(
            tenant=inside, id=UUID(int=number + 1), app_id=uuid4(), display_name=text, publisher_name=text,
            reply_urls=[text, *ODD], tags=[], risk_reasons=[{"rule": text}], created_at=at, synced_at=at,
            account_enabled=bool(number % 2), owner_tenant_id=None, **more,
        )  # fmt: skip

    rows = [row(number, text) for number, text in enumerate(ODD)]
    copying.upsert(ServicePrincipal, rows, ["id"], ["display_name", "reply_urls", "synced_at"])
    stored = ServicePrincipal.objects.in_bulk()
    for one in rows:
        found = stored[one.pk]
        for name in ("display_name", "publisher_name", "reply_urls", "tags", "risk_reasons", "created_at", "app_id",
                     "account_enabled", "owner_tenant_id", "deleted_at"):  # fmt: skip
            assert getattr(found, name) == getattr(one, name), name
        assert found.first_seen_at is not None

    again = [row(number, "renamed", is_disabled=True) for number in range(len(ODD))]
    copying.upsert(ServicePrincipal, again, ["id"], ["display_name"])
    assert set(ServicePrincipal.objects.values_list("display_name", "is_disabled")) == {("renamed", False)}
