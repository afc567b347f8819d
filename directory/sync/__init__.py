"""Keeping the copy of a tenant's directory true: full walks, small refreshes, and what we changed ourselves."""

from directory.sync.changes import (
    forget_app,
    forget_assignment,
    forget_grants,
    mark_all_sessions_revoked,
    mark_deleted,
    mark_disabled,
    mark_enabled,
    mark_restored,
    put_assignment,
    put_grant,
)
from directory.sync.derive import derive, rate_anew
from directory.sync.refresh import refresh_app, refresh_person, take_in_people
from directory.sync.report import KindReport, SyncReport
from directory.sync.turns import refresh_roles, sync_tenant, work

__all__ = [
    "KindReport",
    "SyncReport",
    "derive",
    "forget_app",
    "forget_assignment",
    "forget_grants",
    "mark_all_sessions_revoked",
    "mark_deleted",
    "mark_disabled",
    "mark_enabled",
    "mark_restored",
    "put_assignment",
    "put_grant",
    "rate_anew",
    "refresh_app",
    "refresh_person",
    "refresh_roles",
    "sync_tenant",
    "take_in_people",
    "work",
]
