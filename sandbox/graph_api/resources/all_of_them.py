"""Registers every address."""

from sandbox.graph_api.resources import (
    agents,
    apps,
    assignments,
    consent_requests,
    delta,
    grants,
    groups,
    mail,
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
    "consent_requests",
    "delta",
    "grants",
    "groups",
    "mail",
    "policies",
    "recycle_bin",
    "registrations",
    "roles",
    "tenant",
    "trust_framework",
    "users",
]
