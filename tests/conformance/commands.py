"""Clients that are programs of the command line, run as anybody runs them."""

import json
import os
import re
import subprocess
import threading
from pathlib import Path
from typing import Any

PATIENCE = 180  # seconds for one command


class Failed(Exception):
    """A command ended with a status that is not 0. `said` is what it wrote to either stream."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"status {status}: {said.strip()[-600:]}")
        self.status, self.said = status, said


class Program:
    """One program with a home of its own, so that it finds nothing of who runs this."""

    def __init__(self, program: list[str], home: Path, **environment: str) -> None:
        self.program = program
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self.environment = kept | {"HOME": str(home), "NO_COLOR": "1"} | environment

    def run(self, *arguments: str) -> Any:
        """What the command answered: parsed where it is JSON.

        Raises:
            Failed: its status is not 0.
        """
        done = subprocess.run(
            [*self.program, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise Failed(done.returncode, done.stdout + done.stderr)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return done.stdout

    def refused(self, *arguments: str) -> str:
        """What a command said that had to fail."""
        try:
            answer = self.run(*arguments)
        except Failed as failed:
            return failed.said
        raise AssertionError(f"it was let through: {answer!r}")

    def waiting(self, *arguments: str, code: re.Pattern[str], typed: Any) -> str:
        """Run a command that shows a code and waits; `typed(code)` is called with the first that it shows."""
        process = subprocess.Popen(
            [*self.program, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        guard = threading.Timer(PATIENCE, process.kill)
        guard.start()
        said, shown = "", False
        try:
            for line in process.stdout:
                said += line
                if not shown and (found := code.search(said)):
                    shown = True
                    typed(found.group(1))
            if process.wait():
                raise Failed(process.returncode, said)
        finally:
            guard.cancel()
            process.kill()
            process.wait()
            process.stdout.close()
        return said
