"""Disks that are full: that of the heads, that of VAR_DIR, that of the database. Small ones of our own, in memory."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.bed import wait_until
from tests.drill.ground import Drilled, Ground, Watch, Web

SOME = 20  # people in a list
LOST = "SELECT count(*) FROM revocation_revocationstep WHERE state NOT IN ('verified', 'no_effect')"


def disks() -> Iterator[Drilled]:
    """Nothing is lost and nothing called forged; when there is room again, everything goes on."""
    try:
        with small_disk(Path("/dev/shm/consentry-drill-try"), "64k"):
            pass
    except OSError as refused:
        print(f"disks      not run: no disk can be mounted here ({refused})")
        return
    yield from _of_the_heads()
    yield from _of_the_queue()
    yield from _of_the_database()


def _of_the_heads() -> Iterator[Drilled]:
    with Ground(people=SOME * 3) as ground, small_disk(ground.folder / "small", "16k") as disk:
        ground.environment["AUDIT_HEADS_DIR"] = str(disk)
        web = Web(ground).start()
        ground.start_workers(1)
        ground.start_beat()
        adele = ground.visitor(web, "adele@contoso.example")
        ground.drill("export_heads")
        written = sorted(disk.glob("*.jsonl"))
        fill(disk)
        first = ground.drill("sign_out", SOME)["request"]
        wait_until(lambda: ground.is_finished(first), 120)
        for turn in range(1, 4):
            ground.drill("export_heads")
            ground.drill("sign_out", 2, SOME + turn * 2)
        page = adele.get("/").status_code
        yield Drilled("the heads' disk is full: people are signed out and pages served", page == 200, f"{page}")
        (disk / "filler").unlink()
        wait_until(lambda: ground.by_hand(LOST)[0][0] == 0, 120)
        ground.drill("export_heads")
        said = ground.manage("verify_audit", may_fail=True)
        torn = "torn" in said.stdout
        seen = f"{len(written)} files, {'a torn line' if torn else 'no torn line'}, exit {said.returncode}"
        yield Drilled("there is room again: verify_audit is green", said.returncode == 0 and bool(written), seen)


def _of_the_queue() -> Iterator[Drilled]:
    """VAR_DIR's: with the broker made of files, no message can be sent. The web's click acts all the same."""
    with Ground(people=SOME * 3) as ground, small_disk(ground.folder / "queue", "256k") as disk:
        for name in ("messages", "control"):
            (disk / name).mkdir()
        web = Web(ground).start()
        ground.start_workers(1)
        henrietta = ground.visitor(web, "henrietta@contoso.example")
        fill(disk)
        person = ground.inside("people", 1)[0]
        click = henrietta.post(f"/t/contoso/people/{person}/sign-out/", {"reason": "A full disk"}).status_code
        done = ground.signed_out_times().get(person, 0)
        asked = ground.drill("sign_out", SOME, 5)["request"]
        page = henrietta.get("/t/contoso/revocations/").status_code
        seen = f"click {click}, signed out {done} times, page {page}"
        yield Drilled("VAR_DIR is full: clicks and pages work", (click, done, page) == (302, 1, 200), seen)
        (disk / "filler").unlink()
        ground.start_beat()
        ground.restart_workers()
        wait_until(lambda: ground.is_finished(asked), 120)
        yield Drilled("there is room again: the list is done", True, f"{ground.states(asked)}")


def _of_the_database() -> Iterator[Drilled]:
    ground = Ground(people=SOME * 10)
    with small_disk(ground.server.home, "260m", mode="755") as disk, ground:
        web = Web(ground).start()
        ground.start_workers(1)
        ground.start_beat()
        adele = ground.visitor(web, "adele@contoso.example")
        running = ground.drill("sign_out", SOME * 8)["request"]
        fill(disk)
        with Watch(web) as watch:
            pages = [adele.get("/").status_code for _ in range(10)]
            with suppress(RuntimeError):
                ground.drill("sign_out", SOME, 1)
        held = set(pages) <= {200, 503} and watch.healthz.p95 < 0.1
        seen = f"pages {sorted(set(pages))}, /healthz {watch.healthz}, /readyz {watch.readyz}"
        yield Drilled("the database's disk is full: /healthz lives, pages are served or 503", held, seen)
        (disk / "filler").unlink()
        ground.server.start()  # as its supervisor would, where it had to stop
        wait_until(lambda: adele.get("/").status_code == 200, 60)
        wait_until(lambda: ground.is_finished(running), 180)
        twice = [count for count in ground.signed_out_times().values() if count > 1]
        states = ground.states(running)
        done = states == {"verified": SOME * 8}
        yield Drilled("there is room again: the list ends, nobody twice", done and not twice, str(states))
        ground.drill("export_heads")
        said = ground.manage("verify_audit", may_fail=True)
        yield Drilled("verify_audit is green", said.returncode == 0, said.stdout.strip().splitlines()[-1])
    shutil.rmtree(ground.folder, ignore_errors=True)  # a disk was mounted in it when it was to go


@contextmanager
def small_disk(where: Path, size: str, mode: str = "777") -> Iterator[Path]:
    """Raises: OSError where nothing may be mounted."""
    where.mkdir(parents=True, exist_ok=True)
    options = f"size={size},mode={mode}"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(where)], capture_output=True, text=True)
    if made.returncode:
        where.rmdir()
        raise OSError(made.stderr.strip())
    try:
        yield where
    finally:
        subprocess.run(["umount", "--lazy", str(where)], check=False)
        with suppress(OSError):
            where.rmdir()


def fill(disk: Path) -> None:
    """To the last byte."""
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as file:
        os.fchmod(file.fileno(), 0o666)
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"\0" * size)


SECTIONS = [disks]
