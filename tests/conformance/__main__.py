"""`python -m tests.conformance [client ...]`: clients that nobody here wrote, against the sandbox; one line a flow.

Ends with status 1 when a flow failed, and when a client is not installed or cannot run here.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

from tests.conformance import azure_cli, cli_microsoft365
from tests.conformance.certificates import make
from tests.conformance.proxy import Proxy
from tests.conformance.stage import PROJECT, Helper, Running

CLIENTS = PROJECT / ".clients"
HERE = Path(__file__).resolve().parent
PROGRAMS = {one.NAME: one for one in (azure_cli, cli_microsoft365)}
LIBRARIES = {"msal-node": "@azure/msal-node", "graph-client": "@microsoft/microsoft-graph-client"}
PYTHON_SDK = "msgraph-sdk"
NAMES = [PYTHON_SDK, azure_cli.NAME, *LIBRARIES, cli_microsoft365.NAME]
OLDEST_NODE = 20
NEED_NODE = {*LIBRARIES, cli_microsoft365.NAME}

Outcome = tuple[str, str, float]  # the flow, why it failed (or nothing), seconds


def main(wanted: list[str]) -> int:
    if unknown := set(wanted) - set(NAMES):
        print(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(NAMES)}")
        return 2
    failed = ran = 0
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        sandbox = Running(Path(folder) / "tls").start()
        try:
            with Proxy(sandbox.tls_port) as proxy, Helper(sandbox) as helper:
                for name in wanted or NAMES:
                    if reason := _missing(name):
                        print(f"{name:<34} NOT RUN: {reason}", flush=True)
                        failed += 1
                        continue
                    title = _title(name)
                    for flow, why, seconds in _run(name, sandbox, proxy, helper, Path(folder)):
                        print(
                            f"{title:<34} {flow:<78} {'failed: ' + why if why else 'ok'} ({seconds:.1f} s)", flush=True
                        )
                        ran, failed = ran + 1, failed + bool(why)
        finally:
            sandbox.stop()
    print(f"{ran} flows, {failed} failed or not run.")
    return 1 if failed else 0


def _missing(name: str) -> str:
    if name in NEED_NODE:
        if not shutil.which("node"):
            return f"node is not on this machine; it takes version {OLDEST_NODE} or newer, and npm"
        said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
        if int(said.removeprefix("v").partition(".")[0] or 0) < OLDEST_NODE:
            return f"node {said} is too old; it takes version {OLDEST_NODE} or newer"
    if name == PYTHON_SDK:
        there = (PROJECT / ".venv-clients" / "bin" / "pytest").exists()
    else:
        there = (CLIENTS / name / ".installed").exists()
    return "" if there else "not installed; `make conformance` does that"


def _title(name: str) -> str:
    if name == PYTHON_SDK:
        return name
    if name == azure_cli.NAME:
        return f"{name} {azure_cli.version(CLIENTS / name)}"
    pinned = json.loads((HERE / "clients" / name / "package.json").read_text())["dependencies"]
    package = cli_microsoft365.PACKAGE if name == cli_microsoft365.NAME else LIBRARIES[name]
    return f"{name} {pinned[package]}"


def _run(name: str, sandbox: Running, proxy: Proxy, helper: Helper, folder: Path) -> Iterator[Outcome]:
    if name == PYTHON_SDK:
        yield from _python_sdk(folder)
    elif name in PROGRAMS:
        for flow, act in PROGRAMS[name].flows(CLIENTS / name, sandbox, proxy, folder / name):
            sandbox.control("reset")
            began = time.monotonic()
            try:
                act()
                why = ""
            except Exception as error:
                why = " ".join(f"{type(error).__name__}: {error}".split())[:700]
            yield flow, why, time.monotonic() - began
    else:
        yield from _library(name, sandbox, helper, folder)


def _python_sdk(folder: Path) -> Iterator[Outcome]:
    """Those are tests of pytest's, in the environment that has the SDK; each of them is a flow."""
    report = folder / "report.xml"
    command = [str(PROJECT / ".venv-clients" / "bin" / "pytest"), "-c", str(HERE / "pytest.ini"), str(HERE)]
    done = subprocess.run([*command, "-q", f"--junitxml={report}"], capture_output=True, text=True)
    if not report.exists():
        yield "the whole run", (done.stdout + done.stderr)[-700:], 0.0
        return
    for case in ElementTree.parse(report).iter("testcase"):
        problems = [one for one in case if one.tag in ("failure", "error", "skipped")]
        why = " ".join(str(problems[0].get("message")).split())[:700] if problems else ""
        yield case.get("name", "").removeprefix("test_").replace("_", " "), why, float(case.get("time", 0))


def _library(name: str, sandbox: Running, helper: Helper, folder: Path) -> Iterator[Outcome]:
    """A script beside the manifest says a line of JSON for each flow. It finds its library where that was put."""
    script = CLIENTS / name / "flows.mjs"
    shutil.copyfile(HERE / "clients" / name / "flows.mjs", script)
    shutil.copyfile(HERE / "clients" / "telling.mjs", CLIENTS / name / "telling.mjs")
    file, pem = make(folder)
    given = {"url": sandbox.tls_url, "helper": helper.url, "certificate": pem, "key": Path(file).read_text()}
    environment = {"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": sandbox.authority, "STAGE": json.dumps(given)}
    process = subprocess.Popen(
        ["node", str(script)], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    said = 0
    for line in process.stdout:
        if line.startswith('{"flow"'):
            told = json.loads(line)
            said += 1
            yield told["flow"], " ".join(told["why"].split())[:700], told["seconds"]
    errors = process.stderr.read()
    if process.wait() or not said:
        yield "the whole run", " ".join(errors.split())[-700:] or "it said nothing", 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
