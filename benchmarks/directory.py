"""The directory of a large tenant: the first reading, what a look for changes costs, pages, crashes and convergence.

20,000 apps (500 of them agents), 250,000 grants, 60,000 people, 75 ms; DIRECTORY_SHARE=0.1 makes it a tenth. Pages are
measured at a tenth of the grants too, and so are crashes and changes: those are about truth, not size.
"""

import json
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from benchmarks import pages
from benchmarks.bed import PROJECT, Bed, wait_until
from benchmarks.directory_truth import change, differences, said
from tests.sandbox_client import CONTOSO

SHARE = float(os.environ.get("DIRECTORY_SHARE", "1"))
PEOPLE, APPS, GRANTS = 60_000, 20_000, 250_000
CALLS, TODAY = 600, 21_382  # most that the first reading may take, and what it took before lists were followed
KILLS = 20
SDK_PAGES = 3  # of each list: it takes seconds to make objects of one, and the whole would take an hour
PARTS = ("service_principals", "people", "grants", "assignments", "agents", "derived")
LISTS = {
    "/servicePrincipals": "&$count=true&$select=id,appId,displayName,verifiedPublisher,appOwnerOrganizationId,"
    "servicePrincipalType,accountEnabled,isDisabled,disabledByMicrosoftStatus,homepage,replyUrls,tags,createdDateTime",
    "/users": "&$count=true&$select=id,displayName,userPrincipalName,mail,jobTitle,userType,externalUserState,"
    "identityParentId,accountEnabled,signInSessionsValidFromDateTime,isManagementRestricted",
    "/oauth2PermissionGrants": "&$count=true",
}
EXPANDED = {"/servicePrincipals": "&$select=id,appId,displayName&$expand=appRoleAssignedTo"}


def bed(share: float, **more) -> Bed:
    people, apps, grants = (int(one * share) for one in (PEOPLE, APPS, GRANTS))
    return Bed(people=people, apps=apps, grants=grants, quota=False, read=False, **more)


def measure(line: Callable) -> list:
    """Every line of the table; `line` makes one."""
    lines = []

    def section(work: Callable, *given) -> object:
        """What one section found; that it was not measured where it broke, and the others go on."""
        try:
            found = work(*given)
        except Exception as error:
            lines.append(
                line(f"directory, {work.__name__}", f"not measured: {type(error).__name__}: {error}", ok=False)
            )
            return {}
        if isinstance(found, list):
            lines.extend(found)
        return found

    with bed(SHARE) as large:
        for part in (first_reading, refresh, others):
            section(part, large, line)
        with bed(SHARE / 10) as small:
            small.inside_directory("work")
            bring_news(small)  # the large one has some by now: Changes is no shorter here
            section(pages.measure, line, large, small)
            section(killed, small, line)
            section(converging, small, line)
    return lines


def measure_first_reading(line: Callable) -> list:
    """The first reading alone, by a worker as it comes."""
    with bed(SHARE) as large:
        return first_reading(large, line)


def measure_pages(line: Callable) -> list:
    """The pages alone, without the readings beside others."""
    with bed(SHARE, latency_ms=0) as large, bed(SHARE / 10, latency_ms=0) as small:
        for one in (large, small):
            one.inside_directory("work")
        return pages.measure(line, large, small)


# --- Calls ----------------------------------------------------------------------------------------------


def calls(one: Bed, since: int = 0) -> list[dict]:
    """Every Graph request of the portal's, batches opened."""
    entries = one.sandbox.requests()[since:]
    return [
        entry for entry in entries if entry["path"].startswith(("/v1.0/", "/beta/")) and "$batch" not in entry["path"]
    ]


def bare_loop(one: Bed) -> tuple[float, int]:
    """The same lists in the same pages by a loop that does nothing with them."""
    http, headers = one.sandbox.http, {"Authorization": f"Bearer {one.sandbox.token(CONTOSO)}"}
    began, fetched = time.monotonic(), 0
    for lists, more in ((LISTS, {"ConsistencyLevel": "eventual"}), (EXPANDED, {})):
        for path, query in lists.items():
            link = f"{one.sandbox.url}/v1.0{path}?$top=999{query}"
            while link:
                link = http.get(link, headers=headers | more, timeout=60).json().get("@odata.nextLink")
                fetched += 1
    return time.monotonic() - began, fetched


# --- The first reading ----------------------------------------------------------------------------------


def first_reading(one: Bed, line: Callable) -> list:
    bare, fetched = bare_loop(one)
    before = len(one.sandbox.requests())
    one.start_workers(1)
    time.sleep(6)  # until it listens
    memory, read = 0, {}
    began = one.inside_directory("ask")["at"]
    with one.watching() as ask:  # one connection: a new one every time would take a tenth of a processor

        def done() -> bool:
            nonlocal memory, read
            memory = max(memory, one.worker_memory())
            read = dict(ask("SELECT part, extract(epoch FROM done_at)::float FROM directory_progress"
                            " WHERE part = ANY(%s) AND done_at IS NOT NULL AND due = ''", list(PARTS)))  # fmt: skip
            return len(read) == len(PARTS)

        wait_until(done, 1800, pause=0.5)
    seconds = read["derived"] - began
    made = calls(one, before)
    again, _fetched = bare_loop(one)
    bare = (bare + again) / 2
    per_call = bare / fetched
    one.first = {"calls": len(made), "seconds": seconds}
    wrong = differences(one)
    bar = 1.25 * bare
    raw = {
        "bare": bare,
        "bare_pages": fetched,
        "calls": len(made),
        "seconds": seconds,
        "memory": memory,
        "wrong": wrong,
    }
    return [
        line("Consentry: first reading, Graph calls", f"{len(made):,}", f"<= {CALLS} (before: {TODAY:,})",
             len(made) <= CALLS * max(1, SHARE), raw),
        line("  until everything is rated", f"{seconds:.0f} s", f"<= {bar:.0f} s (bare loop {bare:.0f} s)",
             seconds <= bar),
        line("  a bare loop over the same calls", f"{per_call * len(made):.0f} s at {per_call * 1000:.0f} ms a call"),
        line("  largest worker process", f"{memory / 2**20:.0f} MB", "< 250 MB", memory < 250 * 2**20),
        line("  rows that differ from the directory", json.dumps(wrong), "{}", not wrong),
    ]  # fmt: skip


# --- What changed ---------------------------------------------------------------------------------------


def refresh(one: Bed, line: Callable) -> list:
    for worker in one.workers:
        worker.terminate()
        worker.wait(20)
    one.workers.clear()
    time.sleep(16)  # nothing is looked for twice within some seconds
    one.inside_directory("work")  # what was due meanwhile
    chance = random.Random(7)
    places = one.inside_directory("copy")
    apps, people = sorted(places["apps"]), sorted(places["people"])
    grants = one.ask(
        "SELECT client_id::text, principal_id::text FROM directory_permissiongrant WHERE principal_id IS NOT NULL"
        " ORDER BY md5(graph_id) LIMIT 2000"
    )
    for app in chance.sample(apps, max(1, len(apps) // 1000)):
        with suppress(Exception):
            change(one, "disable_app", app=app)
    for person in chance.sample(people, max(1, len(people) // 1000)):
        change(one, "disable_user", user=person)
    for at in range(max(2, len(places["grants"]) // 1000)):
        client, person = grants[at]
        if at % 2:
            change(one, "withdraw", app=client, user=person)
        else:
            change(one, "consent", app=client, user=person, scopes=["Notes.Read"])
    time.sleep(16)
    before = len(one.sandbox.requests())
    done = one.inside_directory("work")
    made = calls(one, before)
    share, took = len(made) / one.first["calls"], done["seconds"] / one.first["seconds"]
    wrong = differences(one)
    shown = seconds_until_shown(one, *grants[-1])
    return [
        line("Consentry: what changed (0.1 %), Graph calls", f"{len(made)} ({share:.1%} of the first)", "<= 2 %",
             share <= 0.02, {"calls": [entry["path"] for entry in made]}),
        line("  its time", f"{done['seconds']:.1f} s ({took:.1%} of the first)", "<= 3 %", took <= 0.03),
        line("  rows that differ from the directory", json.dumps(wrong), "{}", not wrong),
        line("  a changed grant is on the page after", f"{shown:.0f} s", "<= 60 s", shown <= 60),
    ]  # fmt: skip


def bring_news(one: Bed) -> None:
    """Something of each kind that Changes tells of, taken into the copy."""
    client, person = one.ask(
        "SELECT client_id::text, principal_id::text FROM directory_permissiongrant WHERE principal_id IS NOT NULL"
        " ORDER BY md5(graph_id) LIMIT 1"
    )[0]
    change(one, "withdraw", app=client, user=person)
    time.sleep(16)  # nothing is looked for twice within some seconds
    one.inside_directory("work")


def seconds_until_shown(one: Bed, client: str, person: str) -> float:
    """From a change in the directory to the row that the page shows, with worker and beat as they come."""
    one.start_workers(1)
    one.start_beat()
    time.sleep(8)
    began = time.monotonic()
    change(one, "consent", app=client, user=person, scopes=["Tasks.ReadWrite"])

    def shown() -> bool:
        (row,) = one.ask(
            "SELECT count(*) FROM directory_permissiongrant WHERE client_id = %s AND principal_id = %s"
            " AND 'Tasks.ReadWrite' = ANY(scopes)", client, person,
        )  # fmt: skip
        return row[0] == 1

    wait_until(shown, 180, pause=0.5)
    return time.monotonic() - began


# --- The others -----------------------------------------------------------------------------------------


def others(one: Bed, line: Callable) -> list:
    """msgraph-sdk's page iterator over the same lists, and a call for every app as Microsoft's own report makes."""
    python = PROJECT / ".venv-clients" / "bin" / "python"
    command = [python, "-m", "benchmarks.sdk_directory", one.sandbox.url, SDK_PAGES]
    result = subprocess.run(map(str, command), cwd=PROJECT, capture_output=True, text=True, timeout=1800)
    if result.returncode:
        return [line("msgraph-sdk, page iterator", f"not measured: {result.stderr[-200:]}", "", False)]
    found = json.loads(result.stdout.splitlines()[-1])
    a_page, all_pages = found["seconds"] / found["pages"], SHARE * (APPS + PEOPLE + GRANTS) / 999
    ids = [pk for (pk,) in one.ask("SELECT id::text FROM directory_serviceprincipal WHERE deleted_at IS NULL")]
    http, headers = one.sandbox.http, {"Authorization": f"Bearer {one.sandbox.token(CONTOSO)}"}
    some = [
        pk for (pk,) in one.ask("SELECT id::text FROM directory_serviceprincipal WHERE deleted_at IS NULL LIMIT 50")
    ]
    began = time.monotonic()
    for pk in some:
        http.get(f"{one.sandbox.url}/v1.0/servicePrincipals/{pk}/oauth2PermissionGrants", headers=headers, timeout=60)
    each = (time.monotonic() - began) / len(some)
    singly = 2 * len(ids)  # its grants, and what it was assigned
    return [
        line("msgraph-sdk, page iterator", f"{a_page:.1f} s a page: {all_pages * a_page / 60:.0f} min",
             f"ours {one.first['seconds']:.0f} s, stored and rated", raw=found),
        line("one call per app, as Export-MsIdAppConsentGrantReport", f"{singly:,} calls, {singly * each / 60:.0f} min",
             f"ours {one.first['calls']:,} calls"),
    ]  # fmt: skip


# --- Killed, and changing -------------------------------------------------------------------------------


def killed(one: Bed, line: Callable) -> list:
    """A process ended hard after some answer of Graph, another goes on."""
    for process in (*one.workers, *one.others):
        process.terminate()
    one.sandbox.control("POST", "latency", json={"ms": 0})
    one.inside_directory("empty")
    whole = one.inside_directory("work")["answers"]
    undisturbed = {kind: rows for kind, rows in one.inside_directory("copy").items() if kind != "said"}
    wrong = 0
    most = whole * 3 // 4  # the last answers are looks for changes, of which a quick run needs fewer
    for at in random.Random(3).sample(range(2, most), min(KILLS, most - 2)):
        one.inside_directory("empty")
        if one.inside_directory("work", at) is not None:
            raise RuntimeError(f"the reading ended before answer {at} of {whole}")
        one.inside_directory("work")
        again = {kind: rows for kind, rows in one.inside_directory("copy").items() if kind != "said"}
        wrong += again != undisturbed
    return [line(f"Killed at {KILLS} points of the first reading: other rows", str(wrong), "0", wrong == 0)]


def converging(one: Bed, line: Callable) -> list:
    """Changes all through a first reading and after it, with everything that delta is allowed to do."""
    lines = []
    for name, ways, lag in (
        ("replays, any order", {"replays": True, "shuffled": True}, {"seconds": 5}),
        ("untold ties, tokens reset", {"silent_ties": True}, {"seconds": 5}),
        ("a recovery job", {}, {}),
        ("rows left out of the list", {}, {"omitted_grants": 50}),
    ):
        one.sandbox.reset()
        one.sandbox.control("POST", "quota", json={"enabled": False})
        one.sandbox.control("POST", "delta", json=ways)
        one.sandbox.control("POST", "lag", json=lag)
        one.inside_directory("empty")
        changing = threading.Thread(target=_changes, args=(one, "reset" in name, "recovery" in name))
        changing.start()
        one.inside_directory("work")
        changing.join()
        one.sandbox.clock(advance=120)
        for _turn in range(4):
            _later(one)
            one.inside_directory("work")
        complaints, wrong = said(one), differences(one)
        ok = not wrong or bool(complaints)
        value = (
            "the directory, row by row" if not wrong else f"{json.dumps(wrong)}; said: {'; '.join(complaints.values())}"
        )
        lines.append(line(f"Changing meanwhile: {name}", value[:120], "the same, or said", ok, {"wrong": wrong}))
    return lines


def _later(one: Bed) -> None:
    """Some hours pass for the copy: everything is due."""
    one.ask("UPDATE directory_progress SET delta_at = delta_at - interval '1 minute', not_before = NULL,"
            " done_at = CASE WHEN part IN ('service_principals', 'people', 'grants') THEN done_at ELSE NULL END"
            " RETURNING 1")  # fmt: skip


def _changes(one: Bed, reset: bool, recovery: bool) -> None:
    chance = random.Random(5)
    grants = list(one.sandbox.all("oauth2PermissionGrants?$top=999"))
    chance.shuffle(grants)
    apps = sorted({grant["clientId"] for grant in grants})
    people = [grant["principalId"] for grant in grants if grant["principalId"]][:400]
    for at in range(150):
        grant, app, person = grants[at], chance.choice(apps), chance.choice(people)
        do = (
            {"do": "withdraw", "app": grant["clientId"], "user": grant["principalId"]},
            {"do": "consent", "app": app, "user": person, "scopes": ["User.Read", f"Test.{at}"]},
            {"do": "disable_app" if at % 2 else "enable_app", "app": app},
            {"do": "delete_app", "app": app},
            {"do": "disable_user", "user": person},
            {"do": "assign", "app": app, "user": person},
            {"do": "delete_user", "user": person},
            {"do": "restore_app", "app": app},
        )[at % 8]
        silent = recovery and at >= 100
        with suppress(Exception):  # what is gone already cannot change
            if silent:
                change(one, "recover", changes=[do])
            else:
                change(one, **do)
        if reset and at == 75:
            one.sandbox.control("POST", "delta", json={"reset": True})
        time.sleep(0.02)
