"""Which tenant, and which person, this unit of work may see: the setting behind row-level security.

Every tenant-owned table has a PostgreSQL policy that compares its `tenant_id` with the session
setting `consentry.tenant` (migrations use `rls.py` for it). Middleware opens the scope of a request, tasks and commands
open `tenant_context` themselves; outside of it a query on such a table returns nothing and an insert is refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from uuid import UUID

from django.db import connection
from django.db.backends.signals import connection_created


@dataclass(frozen=True)
class Scope:
    """What the database may show: one tenant's rows, one person's own rows, or all memberships to the operator."""

    tenant_id: UUID | None = None
    user_id: UUID | None = None
    operator: bool = False

    def settings(self) -> tuple[str, str, str]:
        return (
            str(self.tenant_id or ""),
            str(self.user_id or ""),
            "on" if self.operator else "",
        )


_scope: ContextVar[Scope] = ContextVar("consentry_scope", default=Scope())  # noqa: B039 - frozen


def current_scope() -> Scope:
    return _scope.get()


def current_tenant_id() -> UUID | None:
    return _scope.get().tenant_id


@contextmanager
def tenant_context(tenant_id: UUID) -> Iterator[None]:
    """Let queries see this tenant's rows, and no other's, until the block ends."""
    with _enter(replace(_scope.get(), tenant_id=tenant_id)):
        yield


@contextmanager
def in_tenant(tenant_id: UUID) -> Iterator[None]:
    """Work in this tenant's scope; costs nothing where the caller is in it already."""
    if current_tenant_id() == tenant_id:
        yield
    else:
        with tenant_context(tenant_id):
            yield


@contextmanager
def user_context(user_id: UUID) -> Iterator[None]:
    """Let queries also see the rows that are this person's own, in any tenant (their memberships, their account)."""
    with _enter(replace(_scope.get(), user_id=user_id)):
        yield


@contextmanager
def person_context(user_id: UUID, tenant_id: UUID | None) -> Iterator[None]:
    """Both of the above in one statement: what a signed-in person's request needs."""
    with _enter(replace(_scope.get(), user_id=user_id, tenant_id=tenant_id)):
        yield


@contextmanager
def operator_context() -> Iterator[None]:
    """Let the operator's admin pages see accounts and memberships of every tenant. Nothing else opens up."""
    with _enter(replace(_scope.get(), operator=True)):
        yield


@contextmanager
def no_context() -> Iterator[None]:
    """Start from nothing: what a request and a task do first, so that no scope leaks in from the last one."""
    with _enter(Scope()):
        yield


@contextmanager
def _enter(scope: Scope) -> Iterator[None]:
    token = _scope.set(scope)
    try:
        _apply(scope)
        yield
    finally:
        _scope.reset(token)
        # A broken transaction takes no statement; its rollback brings the earlier setting back by itself.
        if connection.connection is not None and not connection.needs_rollback:
            _apply(_scope.get())


def _apply(scope: Scope) -> None:
    if connection.connection is None:
        return  # `connection_created` applies it when the connection opens.
    with connection.cursor() as cursor:
        _execute(cursor, scope)


def _execute(cursor, scope: Scope) -> None:
    cursor.execute(
        "SELECT set_config('consentry.tenant', %s, false),"
        " set_config('consentry.user', %s, false),"
        " set_config('consentry.operator', %s, false)",
        scope.settings(),
    )


def _apply_on_connect(sender, connection, **kwargs) -> None:
    with connection.cursor() as cursor:
        _execute(cursor, _scope.get())


connection_created.connect(_apply_on_connect, dispatch_uid="consentry.tenancy")
