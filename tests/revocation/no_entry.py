"""Services that leave no audit entry of their own, each with the reason: `test_record` lists all others."""

from directory import sync

# Functions in the same modules that need no entry of their own, each with the reason.
EXEMPT: dict[str, str] = {
    "revocation.services.putting_back.undoable": "reads",
    "revocation.services.putting_back.undo_until": "reads",
    "revocation.services.putting_back.may_be_undone": "reads",
    "revocation.services.asking.record_refusal": "is an entry itself",
    "revocation.rules.approval.objection": "reads",
    "revocation.rules.approval.locked": "reads",
    "revocation.rules.approval.ended": "reads",
    "revocation.rules.approval.close_again": "records; seen in tests/security/test_rows_written_by_hand.py",
    "revocation.rules.approval.expiry": "reads",
    "revocation.rules.approval.close": "called by what records",
    "revocation.rules.approval.record": "is an entry itself",
    "consent.services.last_deletion": "reads",
    "directory.sync.refresh_roles": "brings the copy of the roles up to date, as each round does",
    "tenants.services.members_from_elsewhere": "reads",
    "tenants.services.member_from_elsewhere": "reads",
    "tenants.services.person_from_elsewhere": "reads",
    "tenants.services.person_named": "reads",
    "tenants.services.emergency_accounts": "reads",
    "tenants.onboarding.is_open": "reads",
    "tenants.onboarding.lets_in": "reads",
    "tenants.onboarding.closed": "makes a refusal",
    "tenants.onboarding.begin": "keeps the state of a sign-in in the session",
    "tenants.onboarding.returned": "reads Microsoft's answer; connect() records",
    "tenants.connecting.act": "reads",
    "tenants.arrival.wait": "keeps in the session what waits",
    "tenants.arrival.came_by": "reads",
    "tenants.arrival.proceed": "connect() records",
    "tenants.arrival.may_be_administrator": "reads",
    "tenants.arrival.no_administrator": "makes a refusal",
    "accounts.services.admit": "reads",
    "accounts.services.serves": "reads",
    "accounts.services.know": "part of a sign-in, which is recorded as a whole",
    "accounts.services.take_facts": "part of a sign-in, which is recorded as a whole",
    "accounts.services.find_person": "reads",
    "accounts.services.reads": "a person's own choice of language",
    "accounts.services.delete_dead_sessions": "housekeeping of sessions that ran out by themselves",
    "accounts.services.forget_idle_tokens": "housekeeping of tokens without a session",
    "directory.sync.derive": "counts within the copy",
    "directory.sync.work": "reads the directory into the copy; a list read in full, or failing, is recorded",
    "directory.sync.rate_anew": "counts within the copy",
    "directory.sync.refresh_app": "reads the directory into the copy",
    "directory.sync.refresh_person": "reads the directory into the copy",
    "directory.sync.take_in_people": "reads the directory into the copy",
    "revocation.services.asking.as_of_now": "reads the directory into the copy",
    "revocation.services.refusing.objection": "reads",
    "revocation.services.refusing.title": "words",
    "revocation.services.refusing.ending_objection": "reads",
    "revocation.services.refusing.ending_title": "words",
}
# What the spine tells the copy after a proof; the proof is what is recorded.
EXEMPT |= {
    f"directory.sync.{name}": "writes what a recorded step proved"
    for name in sync.__all__
    if name.startswith(("forget_", "mark_", "put_"))
}
