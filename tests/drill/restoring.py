"""A backup in the middle of a list, the list finished, the backup brought back, and the list going on."""

from collections.abc import Iterator

import psycopg

from benchmarks.bed import wait_until
from tests.drill.ground import Drilled, Ground

PEOPLE = 300


def restore(*, people: int = PEOPLE) -> Iterator[Drilled]:
    """Nobody is signed out twice, and the record names what happened."""
    with Ground(people=people + 20, latency_ms=200) as ground:
        ground.start_workers(1)
        ground.start_beat()
        # A part of it goes through; the rest has to be asked for again, until the backup is made.
        busy = {"path": "revokeSignInSessions", "status": 503, "where": "item", "skip": people // 3}
        ground.sandbox.faults(busy)
        request = ground.drill("sign_out", people)["request"]
        wait_until(lambda: len(ground.signed_out_times()) >= people // 3, 60)
        file = ground.folder / "backup.dump"
        ground.manage("backup", file, DATABASE_BACKUP_URL=ground.superuser())
        ground.sandbox.faults()
        held = ground.states(request)
        wait_until(lambda: ground.is_finished(request), 240)
        ground.drill("export_heads")
        ground.stop_workers()
        done = ground.signed_out_times()
        before = sum(held.get(state, 0) for state in ("accepted", "verified"))
        went_on = 0 < before < people == len(done)
        yield Drilled(
            "the list went on behind the backup", went_on, f"{before} of {people} done in it, {len(done)} after"
        )

        with psycopg.connect(ground.superuser(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE restored OWNER consentry_owner")
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            ground.environment[name] = ground.environment[name].replace("/consentry?", "/restored?")
        ground.database_url = ground.environment["DATABASE_URL"]
        ground.manage("restore", file)
        state = ground.ask("SELECT state FROM revocation_revocationrequest WHERE id = %s", request)[0][0]
        yield Drilled("after the restore it stands still until a person says so", state == "paused", state)
        ground.start_workers(1)
        ground.start_beat()
        ground.drill("resume", request)
        wait_until(lambda: ground.is_finished(request), 240)
        again = [count for count in ground.signed_out_times().values() if count > 1]
        states = ground.states(request)
        yield Drilled("nobody was signed out twice", not again, f"{len(again)} of {people} twice")
        yield Drilled("everybody's step ended as proved", states == {"verified": people}, str(states))
        ground.drill("export_heads")
        said = ground.manage("verify_audit", may_fail=True)
        named = "restored from a backup" in said.stdout
        yield Drilled("verify_audit is green and names the restore", said.returncode == 0 and named, last(said.stdout))


def last(text: str) -> str:
    notes = [line.strip() for line in text.splitlines() if "restored" in line]
    return (notes or text.strip().splitlines() or [""])[-1]


SECTIONS = [restore]
