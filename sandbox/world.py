"""The pretend directory: what exists, and how it is found. Plain dataclasses in memory, no I/O.

`World` holds tenants by id. Both halves of the sandbox (identity: `sandbox/identity/`, Graph:
`sandbox/graph_api/`) read and write it in one asyncio thread, so no locks are needed. Writes go through the
methods of `Tenant`/`World` in this module, so that replication lag, audit records and delta feeds see every one.
"""
