"""Registers every address."""

from sandbox.graph_api.resources import (
    apps,
    assignments,
    delta,
    grants,
    groups,
    policies,
    recycle_bin,
    registrations,
    roles,
    tenant,
    users,
)

__all__ = [
    "apps",
    "assignments",
    "delta",
    "grants",
    "groups",
    "policies",
    "recycle_bin",
    "registrations",
    "roles",
    "tenant",
    "users",
]
