"""What goes wrong in a chaos run. Each fault works in a thread of its own while a list is being signed out."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil
import psycopg

BATCH = r"\$batch"
SIGN_OUT = "revokeSignInSessions"


@dataclass
class Fault:
    """One way in which things go wrong.

    Attributes:
        name: what the printed line calls it.
        strike: does it once.
        every: seconds between two strikes.
        times: how often at most; 0 for as long as work is left.
        rules: for the sandbox, in force until the work is done or `rule_seconds` are over.
    """

    name: str
    strike: Callable | None = None
    every: float = 2.0
    times: int = 0
    rules: tuple[dict, ...] = ()
    rule_seconds: float = 0.0

    @contextmanager
    def under_way(self, bed) -> Iterator["Strikes"]:
        """In force inside the `with`; when it is left, nothing goes wrong any more."""
        strikes = Strikes(self, bed)
        if self.rules:
            bed.sandbox.faults(*self.rules)
        thread = threading.Thread(target=strikes.go_on, name=self.name)
        thread.start()
        try:
            yield strikes
        finally:
            strikes.over.set()
            thread.join()
            if self.rules:
                strikes.struck += sum(rule["struck"] for rule in bed.sandbox.control("GET", "faults")["rules"])
                bed.sandbox.faults()
        if strikes.error:
            raise strikes.error


class Strikes:
    """How often a fault struck, and the end of it."""

    def __init__(self, fault: Fault, bed) -> None:
        self.fault, self.bed = fault, bed
        self.struck = 0
        self.over = threading.Event()
        self.error: Exception | None = None

    def go_on(self) -> None:
        try:
            if self.fault.rule_seconds and not self.over.wait(self.fault.rule_seconds):
                self.struck += sum(rule["struck"] for rule in self.bed.sandbox.control("GET", "faults")["rules"])
                self.bed.sandbox.faults()
            while self.fault.strike and not self.over.wait(self.fault.every if self.struck else self.fault.every / 2):
                self.fault.strike(self.bed)
                self.struck += 1
                if self.struck == self.fault.times:
                    return
        except Exception as error:  # told to the run, which ends with it
            self.error = error


# --- workers ---------------------------------------------------------------------------------------


def kill_a_worker(bed) -> None:
    """SIGKILL, as when memory runs out: now the whole worker, now only the process that does the work."""
    worker = random.choice(bed.workers)
    if random.random() < 0.5:
        with suppress(psutil.Error):
            children = psutil.Process(worker.pid).children()
            if children:
                children[0].kill()
                return
    with suppress(ProcessLookupError):
        os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()
    bed.replace(worker)


def workers_killed(every: float = 2.0) -> Fault:
    return Fault(f"SIGKILL of a random worker every {every:g} s", kill_a_worker, every)


# --- PostgreSQL --------------------------------------------------------------------------------------


def restart_postgres(bed) -> None:
    """Every connection ends, nobody listens for a second, and the server comes back."""
    bed.server.stop()
    time.sleep(1)
    bed.server.start()


def end_connections(bed) -> None:
    """What a restart looks like to us, on a server that is not ours to restart."""
    with psycopg.connect(bed.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def postgres_fails(bed, times: int = 3, every: float = 5.0) -> Fault:
    if bed.external:
        return Fault("PostgreSQL ends every connection", end_connections, every, times)
    return Fault("PostgreSQL restarted", restart_postgres, every, times)


# --- Microsoft -----------------------------------------------------------------------------------------


def unavailable(seconds: float = 30.0) -> Fault:
    rule = {"path": ".*", "where": "request", "status": 503, "code": "serviceUnavailable"}
    return Fault(f"Graph answers 503 for {seconds:g} s", rules=(rule,), rule_seconds=seconds)


THROTTLED = {
    "path": SIGN_OUT,
    "where": "item",
    "status": 429,
    "code": "TooManyRequests",
    "retry_after": 1,
    "probability": 0.2,
}
REPLY_CUT = {"path": BATCH, "where": "request", "mode": "after", "cut": True, "probability": 0.2}
REQUEST_CUT = {"path": BATCH, "where": "request", "mode": "before", "cut": True, "probability": 0.2}
ITEM_SPOILT = {"path": SIGN_OUT, "where": "item", "mode": "after", "status": 500, "probability": 0.1}


def throttled() -> Fault:
    return Fault("20 % of items answered 429", rules=(THROTTLED,))


def replies_cut() -> Fault:
    return Fault("20 % of replies cut: done, answer lost", rules=(REPLY_CUT,))


def requests_cut() -> Fault:
    return Fault("20 % of requests cut: not done, no answer", rules=(REQUEST_CUT,))


def items_spoilt() -> Fault:
    return Fault("10 % of items done, but answered 500", rules=(ITEM_SPOILT,))


# --- together --------------------------------------------------------------------------------------------


def together(name: str, *faults: Fault, times: int = 0) -> Fault:
    """Several at once: the sandbox's all the time, one strike of each of the others after the other."""
    strikes = [fault for fault in faults if fault.strike]
    turn = iter(range(1_000_000))

    def strike(bed) -> None:
        strikes[next(turn) % len(strikes)].strike(bed)

    rules = tuple(rule for fault in faults for rule in fault.rules)
    every = min((fault.every for fault in strikes), default=2.0)
    return Fault(name, strike if strikes else None, every, times, rules)
