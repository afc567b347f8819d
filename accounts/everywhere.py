"""The same questions put to every tenant, in one statement: for figures, which tell of all of them.

Row-level security shows the rows of one tenant at a time, and that stays so: the database goes from tenant to tenant
by itself (`accounts_in_every_tenant`), each in its own context, with the rights of whoever asks. It is a function that
cannot write, and what it sees is as of one moment.
"""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, QuerySet, UUIDField
from django.db.models.expressions import RawSQL

# The tenant that is being asked, for a question's filter: indexes begin with the tenant.
HERE = RawSQL("nullif(current_setting('consentry.tenant', true), '')::uuid", (), UUIDField())


def number_given(name: str) -> RawSQL:
    """A whole number that was given for the tenant that is being asked; 0 where none was."""
    return RawSQL(
        "coalesce((nullif(current_setting('consentry.given', true), '')::jsonb ->> %s)::bigint, 0)",
        (name,),
        BigIntegerField(),
    )


def ask(
    questions: Mapping[str, QuerySet], given: Mapping[UUID, Mapping[str, int]]
) -> dict[UUID, dict[str, list[dict[str, Any]]]]:
    """Put each question to each tenant. One statement.

    Args:
        questions: by name, each of rows as `.values(...)` gives them.
        given: the tenants, and what `number_given` is in each.

    Returns:
        by tenant and question, rows as JSON knows their values: times as text, bytes in hex after `\\x`.
    """
    answers = {tenant_id: {name: [] for name in questions} for tenant_id in given}
    if not answers or not questions:
        return answers
    texts = [connection.ops.compose_sql(*question.query.sql_with_params()) for question in questions.values()]
    names = list(questions)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant, question, answer FROM accounts_in_every_tenant(%s, %s)",
            [json.dumps({str(tenant_id): facts for tenant_id, facts in given.items()}), texts],
        )
        for tenant_id, number, answer in cursor.fetchall():
            answers[tenant_id][names[number - 1]] = json.loads(answer)
    return answers
