"""Registers every address."""

from sandbox.graph_api.resources import apps, assignments, delta, grants, groups, roles, tenant, users

__all__ = ["apps", "assignments", "delta", "grants", "groups", "roles", "tenant", "users"]
