"""Registers every address."""

from sandbox.graph_api.resources import (
    agents,
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
    trust_framework,
    users,
)

__all__ = [
    "agents",
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
    "trust_framework",
    "users",
]
