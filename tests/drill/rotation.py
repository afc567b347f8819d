"""Each key is changed process by process while people work: two web servers behind a balancer, two workers, lists."""

import secrets
import threading
from collections.abc import Iterator

import requests
from cryptography.fernet import Fernet

from benchmarks.bed import wait_until
from tests.drill.frozen import DUE
from tests.drill.ground import Asked, Drilled, Ground, Visitor, Web

PEOPLE = 40  # in each list
READERS = 6
ONE = ("--workers", "1", "--threads", "4", "--no-control-socket", "--graceful-timeout", "5")
FRESH = {
    "AUDIT_KEYS": lambda: secrets.token_hex(32),
    "TOKEN_CACHE_KEYS": lambda: Fernet.generate_key().decode(),
    "SECRET_KEY": lambda: secrets.token_urlsafe(60),
}
VOIDED = "SELECT count(*) FROM audit_auditentry WHERE event = 'revocation.approval.voided'"


def rotation(*, keys: tuple[str, ...] = tuple(FRESH)) -> Iterator[Drilled]:
    """No request is voided, nothing is a 5xx, and every list ends."""
    with Ground(people=PEOPLE * 8, latency_ms=100) as ground:
        webs = [Web(ground, options=ONE).start() for _ in range(2)]
        balancer = Balancer(webs)
        ground.start_workers(2)
        ground.start_beat()
        for name in keys:
            with Load(ground, balancer) as load:
                old, new = ground.environment[name], FRESH[name]()
                # In one step, and process by process: what the second worker does not know yet has to wait for it.
                several = name != "SECRET_KEY"
                ground.environment[name] = f"{new},{old}" if several else new
                for web in webs:
                    load.ask_for_a_list()
                    web.stop()
                    web.start()
                for worker in list(ground.workers):
                    load.ask_for_a_list()
                    restart(ground, worker)
                load.ask_for_a_list()
                wait_until(load.is_done, 180)
            faults = [status for status in load.asked.statuses if status >= 500]
            voided = ground.by_hand(VOIDED)[0][0]
            states = load.states()
            asked = f"{len(load.asked.statuses)} pages"
            yield Drilled(f"{name} rotated: no 5xx", not faults, f"{asked}, {len(faults)} faults")
            fine = voided == 0 and states == {"finished"}
            yield Drilled(f"{name} rotated: no request voided", fine, f"{voided}, {states}")
            if name != "SECRET_KEY":  # which signs everybody out, and no more than that
                out = load.asked.statuses.count(302)
                yield Drilled(f"{name} rotated: nobody signed out", not out, f"{asked}, {out} to the sign-in")
        said = ground.manage("verify_audit", may_fail=True)
        yield Drilled("verify_audit is green", said.returncode == 0, said.stdout.strip().splitlines()[-1])


def restart(ground: Ground, worker) -> None:
    ground.workers.remove(worker)
    worker.terminate()
    worker.wait(60)
    name = f"worker{len(ground.workers)}-{secrets.token_hex(2)}"
    command = ("celery", "-A", "portal", "worker", "--concurrency", "1", "-n", f"{name}@drill")
    ground.workers.append(ground._process(*command, log=name))


class Balancer:
    """Two web servers; whoever refuses a connection is passed over, as load balancers do."""

    def __init__(self, webs: list[Web]) -> None:
        self.webs = webs

    def get(self, visitor: Visitor, path: str, turn: int) -> requests.Response:
        for number in range(2):
            web = self.webs[(turn + number) % 2]
            try:
                return visitor.http.get(web.address + path, timeout=60, allow_redirects=False)
            except requests.ConnectionError:
                continue
        raise requests.ConnectionError("no web server takes connections")


class Load:
    """People who open pages all the while, and lists that are asked for. Cookies do not know ports, so both serve."""

    def __init__(self, ground: Ground, balancer: Balancer) -> None:
        self.ground, self.balancer = ground, balancer
        self.asked, self.over = Asked(), threading.Event()
        self.requests: list[str] = []

    def __enter__(self) -> "Load":
        self.people = self.ground.crowd(self.balancer.webs[0], READERS)
        self._threads = [threading.Thread(target=self._read, args=(one,)) for one in self.people]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _read(self, visitor: Visitor) -> None:
        turn = 0
        while not self.over.wait(0.4):
            turn += 1
            path = ("/", "/activity/", "/accounts/sessions/")[turn % 3]
            self.asked.ask(lambda: self.balancer.get(visitor, path, turn))  # noqa: B023 - asked at once

    def ask_for_a_list(self) -> None:
        self.ground.by_hand(DUE)  # pages ask Microsoft meanwhile, with tokens kept under these keys
        first = str(10 + PEOPLE * (len(self.requests) % 7))
        self.requests.append(self.ground.drill("sign_out", PEOPLE, first)["request"])

    def states(self) -> set[str]:
        rows = self.ground.by_hand("SELECT state FROM revocation_revocationrequest WHERE id = ANY(%s)", self.requests)
        return {state for (state,) in rows}

    def is_done(self) -> bool:
        return self.states() == {"finished"}


SECTIONS = [rotation]
