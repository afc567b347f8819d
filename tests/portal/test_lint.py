"""A migration that the web of the release before cannot work on is refused."""

import pytest
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader

from portal import released
from portal.lint import breaks_the_release_before

KEPT = {"max_length": 8, "default": "x"}


@pytest.fixture(scope="module")
def before():
    return MigrationLoader(None).project_state(list(released.MIGRATIONS.items()))


@pytest.mark.parametrize(
    ("app", "operation", "said"),
    [
        ("accounts", migrations.AddField("tenant", "motto", models.CharField(**KEPT)), "accounts.Tenant.motto: …fill"),
        (
            "accounts",
            migrations.AlterField("tenant", "connected_at", models.DateTimeField()),
            "accounts.Tenant.connected_at: …fill",
        ),
        ("accounts", migrations.RemoveField("tenant", "domain"), "accounts.Tenant.domain: …asks for this column"),
        ("accounts", migrations.DeleteModel("TokenCache"), "accounts.TokenCache: …asks for this table"),
    ],
    ids=["not filled", "empty no more", "gone", "table gone"],
)
def test_what_the_release_before_cannot_work_on_is_named(before, app: str, operation, said: str):
    after = before.clone()
    operation.state_forwards(app, after)

    (problem,) = breaks_the_release_before(before, after)

    assert all(part in problem for part in said.split("…"))


@pytest.mark.parametrize(
    "operation",
    [
        migrations.AddField("tenant", "motto", models.CharField(**KEPT, db_default="x")),
        migrations.AddField("tenant", "motto", models.CharField(max_length=8, null=True)),
        migrations.CreateModel("Motto", [("id", models.AutoField(primary_key=True)), ("is", models.CharField(**KEPT))]),
    ],
    ids=["the database fills it", "may be empty", "a table it does not know"],
)
def test_what_it_can_work_on_is_not(before, operation):
    after = before.clone()
    operation.state_forwards("accounts", after)

    assert list(breaks_the_release_before(before, after)) == []
