"""The pretend directory as it is, and what the copy of it says, row by row."""

from benchmarks.bed import Bed
from tests.sandbox_client import CONTOSO


def differences(bed: Bed) -> dict[str, int]:
    """How many rows differ, by kind; empty where the copy is the directory."""
    have, found = bed.inside_directory("copy"), {}
    truth = the_directory(bed)
    for kind, rows in truth.items():
        mine = have[kind]
        if isinstance(rows, list):
            wrong = len(set(rows) ^ set(mine))
        else:
            wrong = sum(1 for pk in rows.keys() | mine.keys() if rows.get(pk, "-") != mine.get(pk, "-"))
        if wrong:
            found[kind] = wrong
    return found


def said(bed: Bed) -> dict[str, str]:
    """What the pages say is not complete."""
    return bed.inside_directory("copy")["said"]


def the_directory(bed: Bed) -> dict:
    sandbox = bed.sandbox
    sandbox.control("POST", "latency", json={"ms": 0})
    sandbox.control("POST", "lag", json={"seconds": 0, "omitted_grants": 0})
    try:
        apps = sandbox.all("servicePrincipals?$top=999&$select=id,accountEnabled&$expand=appRoleAssignedTo")
        people = sandbox.all("users?$top=999&$select=id,accountEnabled")
        grants = sandbox.all("oauth2PermissionGrants?$top=999")
        assignments = []
        for app in apps:
            listed = app["appRoleAssignedTo"]
            if len(listed) >= 20:
                listed = sandbox.all(f"servicePrincipals/{app['id']}/appRoleAssignedTo?$top=999")
            assignments += [one["id"] for one in listed]
    finally:
        sandbox.control("POST", "latency", json={"ms": bed.latency_ms})
    return {
        "apps": {one["id"]: one["accountEnabled"] for one in apps},
        "people": {one["id"]: one["accountEnabled"] for one in people},
        "grants": {one["id"]: " ".join(dict.fromkeys(one["scope"].split())) for one in grants},
        "assignments": sorted(assignments),
    }


def change(bed: Bed, do: str, **given) -> None:
    bed.sandbox.control("POST", "world", json={"tenant": CONTOSO, "do": do, **given})
