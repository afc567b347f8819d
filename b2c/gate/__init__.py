"""The gate: what B2C (or External ID) asks before it issues a token.

credentials    what B2C proves itself with         callers    the same for External ID: a token of Microsoft's
known          how each tenant wants it, in memory  asking     a body becomes an `Ask`
answering      the bodies that are documented       counting   the sampled counter
views          one function per door                serving    as processes of their own
"""
